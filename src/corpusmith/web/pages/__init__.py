"""One file a group of pages. A new one is one new file and one line in `web/nav.py`."""
