"""The same nouns, over REST: what `Studio("http://…")` is made of.

Each class here is a noun of the service with every method asked of a server instead of a store; the
values that come back are the same. What only makes sense beside the store is listed in
`not_remote.py`, and says so. `tests/remote/test_remote_surface.py` holds that nothing is forgotten.
"""

from __future__ import annotations


def is_address(db: str | None) -> bool:
    """Whether it names a server rather than a database."""
    return db is not None and db.lower().startswith(("http://", "https://"))
