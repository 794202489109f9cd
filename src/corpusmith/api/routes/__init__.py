"""One file a noun. A new one is one new file and one line in `api/app.py`."""
