"""The quality report: what a pass over records adds up to, and how it looks on a page."""
