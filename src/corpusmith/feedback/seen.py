"""What earlier runs have seen: digests of rows and samples, in a small file.

Owns: the file. Does not own: what is done with a row that was seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from corpusmith.digests import Digests
from corpusmith.errors import SpecError
from corpusmith.values import Json

_MAGIC = b"corpusmith feedback state 1\n"
_SUM_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What `--since-last` knows of the runs before."""

    options: Mapping[str, Json]
    """Those that decide what is in the files, as they were."""
    seen: Digests


def dump_state(state: State) -> bytes:
    """The state as a file: a head in JSON, the digests, a checksum of both."""
    body = _MAGIC + orjson.dumps(dict(state.options)) + b"\n" + state.seen.dump()
    return body + _sum(body)


def load_state(path: Path) -> State | None:
    """None: there is none. Raises SpecError for a file that is damaged or something else."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    body, told = data[:-_SUM_BYTES], data[-_SUM_BYTES:]
    if not body.startswith(_MAGIC) or _sum(body) != told:
        raise SpecError("feedback_state", file=str(path))
    head, _, digests = body[len(_MAGIC) :].partition(b"\n")
    seen = Digests()
    seen.load(digests)
    return State(options=orjson.loads(head), seen=seen)


def _sum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_SUM_BYTES).digest()
