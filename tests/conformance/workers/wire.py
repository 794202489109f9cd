"""Answers one request a line: what a trainer's own code makes of a file.

Runs inside a trainer's environment. Owns: the pipe to the tests, and that nothing leaves the
machine. Does not own: any trainer's code (the `*_worker.py` beside it call that).

A request is `{"call": name, ...}`; the answer `{"rows": [...]}` or `{"error": "Type: text"}`.
A text is a list of `[piece, trained]`: `trained` says whether the loss counts the piece.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import distribution, distributions
from itertools import groupby
from typing import Any

from packaging.requirements import Requirement

Piece = list[Any]
IGNORED = -100
"""The label that every trainer gives to what it does not train on."""


def shut_off() -> None:
    """Refuse every connection: some trainers report home, all of them know a hub."""

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.getaddrinfo"):
            raise ConnectionError(f"the conformance tests go nowhere: {event} {arguments[1:]}")

    sys.addaudithook(refuse)


def pieces(tokenizer: Any, ids: Iterable[int], labels: Iterable[int]) -> list[Piece]:
    """The text of `ids`, cut where training starts and stops.

    Raises ValueError for a label that is neither the token itself nor ignored.
    """
    made = []
    marked = list(zip(ids, labels, strict=True))
    for trained, run in groupby(marked, key=lambda pair: pair[1] != IGNORED):
        pairs = list(run)
        if trained and any(token != label for token, label in pairs):
            raise ValueError("a label is not the token it stands at")
        text = tokenizer.decode([token for token, _ in pairs], skip_special_tokens=False)
        made.append([text, trained])
    return made


def answer(tokenizer: Any, prompt: Iterable[int], completion: Iterable[int]) -> list[Piece]:
    """A prompt that is not trained on and a completion that is, as pieces."""
    before, after = list(prompt), list(completion)
    return pieces(tokenizer, [*before, *after], [*([IGNORED] * len(before)), *after])


def misfits(trainer: str) -> list[dict[str, Any]]:
    """The libraries here that are not of a version that the trainer itself asks for."""
    asked = [Requirement(line) for line in distribution(trainer).requires or ()]
    here = {one.name.lower().replace("_", "-"): one.version for one in distributions()}
    return [
        {"asked": str(one), "here": here[one.name.lower()]}
        for one in asked
        if one.name.lower() in here
        and (one.marker is None or one.marker.evaluate({"extra": ""}))
        and not one.specifier.contains(here[one.name.lower()], prereleases=True)
    ]


def serve(trainer: str, calls: dict[str, Callable[..., list[dict[str, Any]]]]) -> None:
    """Answer until the pipe ends. What the trainers print goes to stderr."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    calls = {**calls, "misfits": lambda: misfits(trainer)}
    _say(out, {"trainer": trainer})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            _say(out, {"rows": calls[request.pop("call")](**request)})
        # Whatever a trainer raises is told to the test, which knows whether it is right.
        except Exception as error:  # noqa: BLE001
            _say(out, {"error": f"{type(error).__name__}: {error}"})


def _say(out: Any, value: dict[str, Any]) -> None:
    # `datasets` takes a text in JSON that looks like a time for one.
    out.write(json.dumps(value, default=lambda time: time.isoformat()) + "\n")
    out.flush()
