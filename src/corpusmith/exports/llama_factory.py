"""Entries of LLaMA-Factory's `dataset_info.json`.

Owns: columns and tags, all of them: those left out of an entry become None there, and without
`system_tag` it skips every chat that starts with a system message. `sharegpt` and never `openai`,
which appends text to the system message.
Does not own: the file `dataset_info.json` (the service merges into it).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from corpusmith.values import Json

READS = frozenset({".json", ".jsonl", ".csv", ".parquet"})
"""Suffixes by which it knows how to read a file."""

MESSAGE_TAGS: Mapping[str, str] = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "observation_tag": "tool",
    "function_tag": "function_call",
    "system_tag": "system",
}
SHAREGPT_TAGS: Mapping[str, str] = {
    "role_tag": "from",
    "content_tag": "value",
    "user_tag": "human",
    "assistant_tag": "gpt",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}


def entry(
    file_name: str,
    columns: Mapping[str, str],
    *,
    tags: Mapping[str, str] | None = None,
    ranking: bool = False,
) -> Mapping[str, Json] | None:
    """The entry of a file; None: its suffix is none that LLaMA-Factory reads."""
    if PurePath(file_name).suffix.lower() not in READS:
        return None
    return {
        "file_name": file_name,
        **({"formatting": "sharegpt"} if tags else {}),
        **({"ranking": True} if ranking else {}),
        "columns": dict(columns),
        **({"tags": dict(tags)} if tags else {}),
    }
