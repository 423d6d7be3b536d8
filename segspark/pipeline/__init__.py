"""The stages, composed: what each reads, computes, writes and checks."""
