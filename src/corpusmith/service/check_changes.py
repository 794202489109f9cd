"""What is to be changed of records, kept until all of them are looked at: then it is done whole.

Owns: the waiting changes, in a temporary file. Does not own: doing them (store).
A check that is stopped in the middle has changed nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from corpusmith.quality.spool import Spool
from corpusmith.store.codec import to_json
from corpusmith.values import PASS, Json, Verdict


class Notes:
    """Record → what is said of it; iterating gives them back in order."""

    def __init__(self) -> None:
        self._texts = Spool()

    def add(self, record_id: int, said: Mapping[str, Verdict | None]) -> None:
        plain = {name: _plain(one) for name, one in said.items()}
        self._texts.extend([to_json([record_id, plain])])

    def __iter__(self) -> Iterator[tuple[int, dict[str, Verdict | None]]]:
        for place in range(len(self._texts)):
            record_id, said = orjson.loads(self._texts[place])
            yield record_id, {name: _verdict(one) for name, one in said.items()}


class Edits:
    """(record, its version, its new content)"""

    def __init__(self) -> None:
        self._texts = Spool()

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, record_id: int, version: int, content: Json) -> None:
        self._texts.extend([to_json([record_id, version, content])])

    def __iter__(self) -> Iterator[tuple[int, int, Json]]:
        for place in range(len(self._texts)):
            record_id, version, content = orjson.loads(self._texts[place])
            yield record_id, version, content


def _plain(one: Verdict | None) -> Json:
    if one is None or one == PASS:
        return None if one is None else "pass"
    return {
        "passed": one.passed,
        "reason": one.reason,
        "detail": dict(one.detail),
        "score": one.score,
    }


def _verdict(one: Any) -> Verdict | None:
    if one is None:
        return None
    return PASS if one == "pass" else Verdict(**one)
