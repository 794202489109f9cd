"""How a case of bad input is written: the words of a command line, in the world's own folder.

Owns: what the tables of cases (`bad_input_*.py`) have in common. Does not own: any case.
"""

from __future__ import annotations

from collections.abc import Callable

from bad_input_world import World

Words = list[object]
Case = Callable[[World], Words]


def say(*words: object) -> Case:
    """These words. Files are called by their names: the program runs in the world's folder."""
    return lambda world: list(words)


def begun(*words: object) -> Callable[..., Case]:
    """`begun("import", "--dry-run")("rows.csv")`: the same beginning for several cases."""
    return lambda *more: say(*words, *more)


def db(name: str, *words: object) -> Case:
    """`words` with another database."""
    return lambda world: [*words, "--db", f"sqlite:///{world.file(name)}"]
