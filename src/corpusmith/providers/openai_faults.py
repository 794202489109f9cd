"""What the endpoints that speak the OpenAI protocol write into an error.

Owns: the shapes and codes of their error bodies. Does not own: what an HTTP status means
(`failures.py`). Codes are compared, texts never searched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from corpusmith.errors import (
    BadRequest,
    Overloaded,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    ServerError,
    Unauthorised,
)
from corpusmith.providers.failures import Fault
from corpusmith.providers.json_shape import as_dict, as_list, as_text
from corpusmith.values import Json

CODES: Mapping[str, type[ProviderError]] = {
    "insufficient_quota": QuotaExhausted,
    "billing_hard_limit_reached": QuotaExhausted,
    "billing_not_active": QuotaExhausted,
    "exceeded_current_quota_error": QuotaExhausted,  # Moonshot
    "Arrearage": QuotaExhausted,  # DashScope
    "1113": QuotaExhausted,  # Zhipu
    "AccountOverdueError": QuotaExhausted,  # Volcengine Ark
    "engine_overloaded_error": Overloaded,  # Moonshot
    "invalid_api_key": Unauthorised,
}
"""A vendor's `code` or `type`, where it says more than the status."""

FILTER_CODES = frozenset(
    {
        "content_filter",  # Azure, Moonshot
        "content_policy_violation",
        "data_inspection_failed",  # DashScope
        "DataInspectionFailed",
        "1301",  # Zhipu
        "SensitiveContentDetected",  # Volcengine Ark
        "InputTextSensitiveContentDetected",
        "OutputTextSensitiveContentDetected",
    }
)

MINIMAX: Mapping[int, type[ProviderError]] = {
    1001: ServerError,
    1002: RateLimited,
    1004: Unauthorised,
    1008: QuotaExhausted,
    1013: ServerError,
    1039: RateLimited,
    2013: BadRequest,
}
"""MiniMax answers 200 and puts its own status into `base_resp`."""
MINIMAX_FILTERED = frozenset({1026, 1027})


def fault_of(data: Json) -> Fault:
    """The error in a parsed body; one with `found` False when there is none that we know."""
    body = as_dict(data[0] if isinstance(data, list) and data else data)
    error = body.get("error")
    if isinstance(error, dict) and error:
        return _named(error)
    if isinstance(error, str) and error:
        return _named({**body, "message": error})
    if body.get("detail"):
        return _detail(body["detail"])
    status = as_dict(body.get("base_resp")).get("status_code")
    if type(status) is int and status != 0:
        return _minimax(status, as_text(body["base_resp"].get("status_msg")))
    if as_text(body.get("message")) and "choices" not in body:
        return _named(body)  # vLLM before 0.10, SiliconFlow
    return Fault()


def _named(error: Mapping[str, Any]) -> Fault:
    names = [str(one) for one in (error.get("code"), error.get("type")) if _is_name(one)]
    return Fault(
        found=True,
        # OpenRouter gives its moderation's reasons beside a 403.
        filtered=not FILTER_CODES.isdisjoint(names)
        or bool(as_list(as_dict(error.get("metadata")).get("reasons"))),
        cause=as_text(error.get("message")),
        status=int(names[0]) if names and _STATUS.fullmatch(names[0]) else None,
        kind=next((CODES[name] for name in names if name in CODES), None),
        parameter=as_text(error.get("param")) or None,
    )


_STATUS = re.compile(r"[45][0-9]{2}")


def _is_name(value: Json) -> bool:
    return isinstance(value, str) or type(value) is int


def _detail(detail: Json) -> Fault:
    """FastAPI's own shape: `transformers serve` and others."""
    if isinstance(detail, str):
        return Fault(found=True, cause=detail)
    if isinstance(detail, dict):
        return _named(detail)
    first = as_dict(as_list(detail)[0] if as_list(detail) else None)
    place = [str(step) for step in as_list(first.get("loc")) if step != "body"]
    parameter = ".".join(place) or None
    words = as_text(first.get("msg"))
    cause = f"{parameter}: {words}" if parameter and words else words
    return Fault(found=True, cause=cause, parameter=parameter)


def _minimax(status: int, words: str) -> Fault:
    return Fault(
        found=True,
        filtered=status in MINIMAX_FILTERED,
        cause=f"{words} ({status})",
        kind=MINIMAX.get(status),
    )
