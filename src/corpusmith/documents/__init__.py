"""Documents: their text with its headings, cut into chunks. Doors: `read.py`, `split.py`."""
