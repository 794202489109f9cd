"""What the files are called.

Owns: names, and making a model's name safe for one. Does not own: writing.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from corpusmith.feedback.samples import Format

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
MAX_BYTES = 180
"""File systems take 255; the end of the name needs some of it."""

SUFFIX = {"json": ".json", "jsonl": ".jsonl", "alpaca": ".json"}
BAD_ROWS = "bad_rows.jsonl"


def safe_name(model: str) -> str:
    """`model` as a part of a file name on every system; its script stays."""
    text = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", model)).strip(" .")
    text = text.replace("..", "_") or "_"
    if _RESERVED.fullmatch(text):
        text = f"_{text}"
    data = text.encode("utf-8", "replace")
    if len(data) <= MAX_BYTES:
        return data.decode()
    mark = hashlib.blake2b(data, digest_size=4).hexdigest()
    return f"{data[:MAX_BYTES].decode('utf-8', 'ignore')}-{mark}"


def sample_file(form: Format, model: str | None) -> str:
    """`high_quality_samples.json`, or `M_samples.json` for one model's."""
    if form == "alpaca":
        return (
            "alpaca_format_samples.json"
            if model is None
            else f"{safe_name(model)}_alpaca_format.json"
        )
    return ("high_quality" if model is None else safe_name(model)) + f"_samples{SUFFIX[form]}"


def pairs_file(model: str | None) -> str:
    """`preference_pairs.jsonl`, for one model `M_preference_pairs.jsonl`."""
    return _of(model) + "preference_pairs.jsonl"


def kto_file(model: str | None) -> str:
    """`kto_samples.jsonl`, for one model `M_kto_samples.jsonl`."""
    return _of(model) + "kto_samples.jsonl"


def state_file(model: str | None) -> str:
    """What `--since-last` remembers."""
    return f".{_of(model)}feedback.seen"


def _of(model: str | None) -> str:
    return "" if model is None else f"{safe_name(model)}_"
