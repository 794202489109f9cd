"""Checks of drafts: each a small class in a file of its own; `chain.py` runs several."""
