"""The same nouns, over REST: what `Studio("http://…")` is made of.

Each class here is a noun of the service with every method asked of a server instead of a store; the
values that come back are the same. What only makes sense beside the store says so
(`not_over_rest`). `tests/service/test_remote_surface.py` holds that nothing is forgotten.
"""
