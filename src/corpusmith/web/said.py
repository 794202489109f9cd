"""What the page before has to say on the next one, such as “deleted”.

Owns: the cookie that carries it over a redirect. Does not own: the texts (`locales/`): a key and
its values travel, so that nothing but our own texts can be made to appear.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from fastapi import Request
from starlette.responses import Response

from corpusmith.messages import catalog, say
from corpusmith.values import Language

COOKIE = "corpusmith_said"
PREFIX = "web."
MOST = 3000
ALL_DRAFTS = "*"
"""Everything that was typed and not sent: whoever logs out may leave the machine to others."""

Tone = Literal["good", "info", "warn", "bad"]
_TONES = ("good", "info", "warn", "bad")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message."""

    key: str
    data: Mapping[str, Any]
    tone: Tone = "good"
    draft: str = ""
    """A form's draft that is not needed any more."""

    def text(self, language: Language) -> str:
        return say(self.key, language, **self.data) if self.key else ""


def send(response: Response, said: Said) -> None:
    """Put it on the way to the next page. Long values are cut."""
    data = {name: str(value)[:200] for name, value in said.data.items()}
    body = orjson.dumps([said.key, data, said.tone, said.draft])
    text = base64.urlsafe_b64encode(body).decode()
    response.set_cookie(COOKIE, text, max_age=60, path="/", httponly=True, samesite="lax")


def read(request: Request) -> Said | None:
    """What came; None: nothing, or nothing of ours."""
    text = request.cookies.get(COOKIE, "")
    if not text or len(text) > MOST:
        return None
    try:
        found: Any = orjson.loads(base64.urlsafe_b64decode(text))
        key, data, tone, draft = found
    except (binascii.Error, ValueError, TypeError):
        return None
    ours = isinstance(key, str) and (not key or (key.startswith(PREFIX) and key in catalog("en")))
    if not (ours and isinstance(data, dict) and tone in _TONES and isinstance(draft, str)):
        return None
    return Said(key=key, data=data, tone=tone, draft=draft)
