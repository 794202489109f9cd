"""The key of a call: what makes two calls the same call.

Owns: the canonical JSON of a request and its digest. Does not own: looking it up.
Not in the key, because it does not change the reply: timeouts, concurrency, which key pays, and
how the endpoint is asked to keep to the schema (`mode`: an endpoint that learns a better way must
not pay again for what it has answered).
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import orjson

from corpusmith.hidden import shown
from corpusmith.values import ChatRequest, Connection, Item, Json, Sampling


def sample_of(item: Item) -> list[Json]:
    """What tells one sample from another when all else is equal."""
    return [item.task_seed, item.category, item.ordinal, item.generation]


def canonical(
    connection: Connection, request: ChatRequest, sample: list[Json] | None
) -> tuple[bytes, bytes]:
    """(key, canonical JSON): 32 bytes of BLAKE2b, and the text it was made from, which is kept: of
    body fields that look secret it says only that they were there.

    `sample` None: the call is shared by every item that asks the same.
    """
    sampling = sampling_body(request.sampling, connection.extra)
    body: dict[str, Json] = {
        "protocol": connection.protocol,
        "base_url": connection.base_url,
        "model": request.model,
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "sampling": sampling,
        "sample": sample,
    }
    if request.embed:
        body["embed"] = True
    if request.schema is not None:
        body["schema"] = {"name": request.schema.name, "body": request.schema.body}
    text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    key = blake2b(text, digest_size=32).digest()
    if (connection.extra or request.sampling.extra) and (safe := shown(sampling)) != sampling:
        text = orjson.dumps(body | {"sampling": safe}, option=orjson.OPT_SORT_KEYS)
    return key, text


def sampling_body(sampling: Sampling, extra: Mapping[str, Json]) -> dict[str, Json]:
    """The parameters that are sent, by name; None is not sent."""
    body: dict[str, Json] = {**extra, **sampling.extra}
    for name in ("temperature", "top_p", "max_tokens", "seed"):
        value = getattr(sampling, name)
        if value is not None:
            body[name] = value
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    return body
