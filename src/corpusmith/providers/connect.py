"""From a preset and a user's wishes to a connection.

Owns: which wish wins, and that a key never goes to a host it was not meant for. Does not own:
reading the key (`service`), storing the connection (`store`).
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from corpusmith.errors import SpecError
from corpusmith.providers.base_url import normalise_base_url
from corpusmith.providers.presets import preset, price_of
from corpusmith.values import Connection, Json, Limits, Price, StructuredMode, Timeouts


def connection_of(
    *,
    name: str,
    provider: str = "openai",
    base_url: str | None = None,
    model: str | None = None,
    key_env: str | None = None,
    key_stored: bool = False,
    rpm: int | None = None,
    tpm: int | None = None,
    concurrency: int | None = None,
    connect_s: float | None = None,
    total_s: float | None = None,
    price: Price | None = None,
    proxy: str | None = None,
    ca_file: str | None = None,
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, Json] | None = None,
    modes: tuple[StructuredMode, ...] | None = None,
) -> Connection:
    """A connection to `provider`'s endpoint, or to `base_url` when it is given.

    At an address of the user's own the preset's key variable, modes and price do not apply: its
    key must not go there, and its abilities are not known. Raises NotFound `unknown_provider`,
    SpecError (of `normalise_base_url`, `bad_proxy`).
    """
    known = preset(provider)
    address = known.base_url if base_url is None else normalise_base_url(base_url)
    own = address == known.base_url
    defaults = Timeouts()
    if price is None and model is not None:
        price = price_of(provider, address, model)
    return Connection(
        name=name,
        provider=provider,
        protocol=known.protocol,
        base_url=address,
        model=model,
        key_env=key_env or (known.key_env if own and not key_stored else None),
        key_stored=key_stored,
        limits=Limits(requests_per_min=rpm, tokens_per_min=tpm, concurrency=concurrency),
        timeouts=Timeouts(
            connect_s=defaults.connect_s if connect_s is None else connect_s,
            total_s=defaults.total_s if total_s is None else total_s,
        ),
        price=price,
        proxy=None if proxy is None else _proxy(proxy, name),
        ca_file=ca_file,
        headers=dict(headers or {}),
        extra=dict(extra or {}),
        modes=modes if modes is not None else (known.modes if own else ()),
    )


def _proxy(text: str, name: str) -> str:
    """`http://host:port`. Raises SpecError `bad_proxy`; its data never hold a user or password."""
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise SpecError("bad_proxy", connection=name, host=parts.hostname or "?")
    return f"{parts.scheme}://{parts.netloc}"
