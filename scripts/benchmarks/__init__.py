"""Benchmarks beside a peer, in turns on one machine; docs/performance.md has their figures."""
