"""Which values of a connection are secret, and how they look to whoever may not read them.

Owns: what looks secret, walking through fields. Does not own: encryption (`service/sealing.py`).
All own headers are taken for secret. Of own body fields those are whose name or form says so: the
others (`enable_thinking`, `top_k`) are for people to read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from corpusmith.values import HIDDEN, Json, Sealed

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_LAST = frozenset(
    {
        *("key", "apikey", "accesskey", "secretkey", "token", "secret", "password", "passwd"),
        *("passphrase", "pwd", "auth", "authorization", "authentication", "credential"),
        *("credentials", "cookie", "cookies", "signature", "bearer"),
    }
)
"""A name whose last word is one of these names a secret: `api_key`, `clientSecret`; but
`max_tokens`, `max_tokens_field` and `key_value_mode` do not."""
_FORM = re.compile(r"(?:bearer|basic) \S|(?:sk|hf|ghp|gsk|xai|nvapi)[-_]\S{8}|AIza\S{16}", re.I)

Change = Callable[[str, Json, str], Json]
"""(name, value, path) → what stands in its place."""


def looks_secret(name: str, value: Json) -> bool:
    """Whether a body field is to be kept sealed."""
    if isinstance(value, Sealed):
        return True
    if not isinstance(value, str) or not value:
        return False
    words = [one for one in _WORDS.split(name) if one]
    return bool(words and words[-1].lower() in _LAST) or _FORM.match(value) is not None


def may_hold(text: str) -> bool:
    """Whether a text that cannot be read may have a secret in it."""
    words = (one.lower() for one in _WORDS.split(text))
    return _FORM.search(text) is not None or any(one in _LAST for one in words)


def walked(value: Json, change: Change, name: str = "", path: str = "") -> Any:
    """`value` with each of its innermost values changed."""
    if isinstance(value, Mapping):
        return {key: walked(one, change, str(key), f"{path}/{key}") for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [walked(one, change, name, f"{path}/{at}") for at, one in enumerate(value)]
    return change(name, value, path)


def shown(extra: Json) -> Any:
    """Body fields as anybody may see them."""
    return walked(extra, lambda name, one, path: HIDDEN if looks_secret(name, one) else one)


def with_marks(extra: Json) -> Any:
    """Body fields with `HIDDEN` in place of what is sealed."""
    return walked(extra, lambda name, one, path: str(one) if isinstance(one, Sealed) else one)


def secrets_in(headers: Mapping[str, Json], extra: Json) -> Iterator[str]:
    """All secret values that are not sealed."""
    found: list[str] = []

    def look(name: str, value: Json, path: str) -> None:
        if looks_secret(name, value) and isinstance(value, str):
            found.append(value)

    walked(extra, look)
    yield from (one for one in headers.values() if isinstance(one, str))
    yield from found


def revived(value: Json) -> Any:
    """Out of JSON: what was written of a Sealed is one again."""
    if isinstance(value, Mapping):
        if value.keys() == {"corpusmith_sealed"} and isinstance(value["corpusmith_sealed"], str):
            return Sealed(value["corpusmith_sealed"])
        return {name: revived(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [revived(one) for one in value]
    return value
