"""Shim for cluster build tools; pyproject.toml holds all metadata."""

from setuptools import setup

setup()
