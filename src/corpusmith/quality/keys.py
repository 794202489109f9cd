"""Finds keys in a text: those of known services by their form, others by what they are called.

Owns: the forms, and what is only an example of one. Does not own: what becomes of a find
(`personal_data.py`).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

# (sign that must be there at all, pattern). A service's own beginning says that it is a key.
_SERVICES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (sign, re.compile(r"(?<![A-Za-z0-9_\-])" + pattern + r"(?![A-Za-z0-9_\-])"))
    for sign, pattern in (
        (
            "sk-",
            r"sk-(?=[A-Za-z_\-]*[0-9])[A-Za-z0-9_\-]{20,220}",
        ),  # OpenAI, Anthropic, DeepSeek, Moonshot …
        ("AKIA", r"AKIA[A-Z0-9]{16}"),  # Amazon
        ("ASIA", r"ASIA[A-Z0-9]{16}"),
        ("gh", r"gh[pousr]_[A-Za-z0-9]{30,255}"),  # GitHub
        ("github_pat_", r"github_pat_[A-Za-z0-9_]{22,255}"),
        ("glpat-", r"glpat-[A-Za-z0-9_\-]{20,60}"),  # GitLab
        ("AIza", r"AIza[A-Za-z0-9_\-]{35}"),  # Google
        ("GOCSPX-", r"GOCSPX-[A-Za-z0-9_\-]{20,60}"),
        ("ya29.", r"ya29\.[A-Za-z0-9_\-]{20,300}"),
        ("xox", r"xox[abeprs]-[A-Za-z0-9\-]{10,200}"),  # Slack
        ("xapp-", r"xapp-[A-Za-z0-9\-]{20,200}"),
        ("hf_", r"hf_[A-Za-z0-9]{30,60}"),  # Hugging Face
        ("gsk_", r"gsk_[A-Za-z0-9]{40,80}"),  # Groq
        ("nvapi-", r"nvapi-[A-Za-z0-9_\-]{40,90}"),  # NVIDIA
        ("xai-", r"xai-[A-Za-z0-9]{40,120}"),  # xAI
        ("pplx-", r"pplx-[A-Za-z0-9]{32,80}"),  # Perplexity
        ("r8_", r"r8_[A-Za-z0-9]{30,60}"),  # Replicate
        ("_live_", r"[sr]k_live_[A-Za-z0-9]{16,200}"),  # Stripe
        ("LTAI", r"LTAI[A-Za-z0-9]{12,24}"),  # Aliyun
        ("AKID", r"AKID[A-Za-z0-9]{32}"),  # Tencent Cloud
        (".", r"[0-9a-f]{32}\.(?=[A-Za-z]*[0-9])[A-Za-z0-9]{16}"),  # Zhipu
        ("npm_", r"npm_[A-Za-z0-9]{36}"),
        ("pypi-", r"pypi-[A-Za-z0-9_\-]{50,300}"),
        ("eyJ", r"eyJ[A-Za-z0-9_\-]{8,4000}\.eyJ[A-Za-z0-9_\-]{8,8000}\.[A-Za-z0-9_\-]{16,1000}"),
    )
)
_PEM_SIGN = "PRIVATE KEY-----"
# Cut off it is a key as well: the end is optional. Possessive, so that no text takes long.
_PEM = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY-----"
    r"(?:[A-Za-z0-9+/=\s:,\\]|-(?!-)){32,16000}+"
    r"(?:-----END (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY-----)?"
)
_CALLED = (*("key", "token", "secret", "passw", "pwd"), *("密钥", "密码", "口令", "令牌"))
# api_key = "…", "token": "…", 密码：…
_ASSIGNED = re.compile(
    r"(?:(?<![A-Za-z0-9])(?:[A-Za-z0-9]{1,20}[_\-]){0,3}"
    r"(?:api[_\-]?key|access[_\-]?key|secret[_\-]?key|private[_\-]?key|account[_\-]?key|auth[_\-]?key"
    r"|token|secret|password|passwd|pwd)|密钥|密码|口令|令牌)"
    r"[\"'`]?[ \t]{0,4}(?:[:=：]|=>|是|为)[ \t]{0,4}(?:Bearer )?[\"'`]?"
    r"([A-Za-z0-9_\-+/.~!@#$%^&*]{16,512}={0,2})(?![A-Za-z0-9(\[])",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(
    r"example|your|placeholder|change[_\-]?me|dummy|sample|fake|redacted|insert|replace|x{4,}|\*{3,}"
    r"|\.{3}",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"abcdef|12345678|0{6,}", re.IGNORECASE)
_LETTER_DIGIT = re.compile(r"[A-Za-z][0-9]|[0-9][A-Za-z]")
_LETTERS_TO_DIGITS = 2
"""So often at least letters and digits take turns in a random value; not in `area-51-of-2024`."""
_SERVICE_BITS = 2.5
"""Bits a sign. `sk-xxxxxxxxxxxxxxxxxxxxx` has 0.8, random letters and digits 3.6 and more."""
_RANDOM_BITS = 3.0


def keys(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each key."""
    if _PEM_SIGN in text:
        yield from (match.span() for match in _PEM.finditer(text))
    for sign, pattern in _SERVICES:
        if sign in text:
            for match in pattern.finditer(text):
                if not _EXAMPLE.search(match[0]) and _bits(match[0]) >= _SERVICE_BITS:
                    yield match.span()
    lower = text.lower()
    if any(sign in lower for sign in _CALLED):
        yield from (match.span(1) for match in _ASSIGNED.finditer(text) if _is_random(match[1]))


def _is_random(value: str) -> bool:
    """Letters and digits without order, and no example: not `os.environ.get`, not a path."""
    if len(_LETTER_DIGIT.findall(value)) < _LETTERS_TO_DIGITS or _bits(value) < _RANDOM_BITS:
        return False
    return not (_EXAMPLE.search(value) or _COUNTED.search(value))


def _bits(value: str) -> float:
    """Shannon's entropy of its signs, in bits a sign."""
    shares = [count / len(value) for count in Counter(value).values()]
    return -sum(share * math.log2(share) for share in shares)
