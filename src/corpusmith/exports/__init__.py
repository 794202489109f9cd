"""Exporters: each a small class that writes records in one format; `files.py` makes the file."""
