"""Community character cards: V1, V2 and V3, as JSON and inside a PNG, and our own simple JSON.

`read_card` and `write_card` are the whole of it.
"""

from corpusmith.cards.read import read_card
from corpusmith.cards.write import Form, write_card
from corpusmith.placeholders import example_turns, fill_names

__all__ = ["Form", "example_turns", "fill_names", "read_card", "write_card"]
