"""Tells the answer from what a model writes around it: reasoning, fences, prose.

Owns: where the visible text and the JSON values of a reply begin and end.
Does not own: mending broken JSON (`repair.py`), schemas (`structured.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

# A start tag counts at the start of a line only: "use the <think> tag" is talk, not reasoning.
_OPEN = re.compile(r"^[ \t]*<(think|thinking|reasoning)>", re.I | re.M)
_MENTION = re.compile(r"<(?:think|thinking|reasoning)>", re.I)
_CLOSE = re.compile(r"(?<!`)</(?:think|thinking|reasoning)>(?!`)", re.I)
_FENCE = re.compile(r"(`{3,})(?:[^`\n]*\n)?(.*?)\n?[ \t]*\1", re.S)

# What can be the start of a JSON value, also of one with small faults: `{"`, `{name:`, `['`.
# So `[note]` and `{name}` in prose are no JSON.
_START = re.compile(
    r"""\{(?=\s*(?:["'“}]|[A-Za-z_]\w*\s*:))"""
    r"""|\[(?=\s*(?:["'“{\[\]\d-]|true|false|null|True|False|None))"""
)
_PAIRS = {"{": "}", "[": "]"}
_BRACKET = re.compile(r"[{}\[\]]")
_GOES_ON = frozenset("\"'“”,:")
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|["{}\[\]]', re.S)


def plain_text(text: str) -> tuple[str, str | None]:
    """(visible text, reasoning); reasoning is None when there is none.

    `<think>…</think>` (`<thinking>`, `<reasoning>`) is taken off; an unclosed start tag hides all
    that follows; before a lone closing tag, which some servers send, everything is reasoning. A
    reply wholly in one fence is unwrapped. Both are trimmed.
    """
    visible, reasoning = split_reasoning(text)
    visible = visible.strip()
    if visible.startswith("```"):
        visible = _unfenced(visible)
    return visible, reasoning


def split_reasoning(text: str) -> tuple[str, str | None]:
    """(text without its reasoning, reasoning or None); fences stay."""
    if "<" not in text:
        return text, None
    thoughts: list[str] = []
    while block := _OPEN.search(text):
        end = re.compile(f"</{block[1]}>", re.I).search(text, block.end())
        if end is None:
            thoughts.append(text[block.end() :])
            text = text[: block.start()]
            break
        thoughts.append(text[block.end() : end.start()])
        text = text[: block.start()] + text[end.end() :]
    lone = _lone_close(text)
    if lone is not None:
        thoughts.append(text[: lone.start()])
        text = text[lone.end() :]
    return text, "\n\n".join(filter(None, map(str.strip, thoughts))) or None


def json_spans(text: str) -> Iterator[tuple[int, int | None]]:
    """(start, end) of each outermost text that looks like JSON; end None: cut off, and the last.

    A value inside a broken or cut one is never offered: it would be a part of the answer.
    """
    at = 0
    while start := _START.search(text, at):
        end = _end(text, start.start())
        yield start.start(), end
        if end is None:
            return
        at = end


def last_fault(text: str, spans: Sequence[tuple[int, int | None]]) -> int:
    """Where the last thing stands that prose between JSON values does not hold; -1: nowhere.

    A quote that the model forgot to escape lets a value end early, as in `{"a": "press "}" now"}`:
    then a quote, a comma, a bracket too many or a cut value follows. So of the values, only those
    after the last fault are surely whole.
    """
    fault = -1
    open_brackets: list[tuple[str, int]] = []
    starts = [start for start, _ in spans]
    ends = [end for _, end in spans if end is not None]
    for end, start in zip_longest([0, *ends], starts, fillvalue=len(text)):
        if end and text[end:start].lstrip()[:1] in _GOES_ON:
            fault = end
        for bracket in _BRACKET.finditer(text, end, start):
            if bracket[0] in _PAIRS:
                open_brackets.append((_PAIRS[bracket[0]], bracket.start()))
            elif not open_brackets or open_brackets.pop()[0] != bracket[0]:
                fault = bracket.start()
    left_open = [at for _, at in open_brackets] + starts[len(ends) :]
    return max([fault, *left_open])


def _end(text: str, start: int) -> int | None:
    """Where the value that starts at `start` has all its brackets closed; None: nowhere."""
    awaited: list[str] = []
    for token in _TOKEN.finditer(text, start):
        kind = token[0]
        if kind in _PAIRS:
            awaited.append(_PAIRS[kind])
        elif kind == '"':  # opened and never closed
            return None
        elif kind in ("}", "]"):
            if kind != awaited.pop():
                return None
            if not awaited:
                return token.end()
    return None


def _lone_close(text: str) -> re.Match[str] | None:
    """A closing tag that nothing opened, unless it stands inside a JSON value's own text."""
    tag = _CLOSE.search(text)
    if tag is None or _MENTION.search(text, 0, tag.start()):
        return None
    for start, end in json_spans(text):
        if end is not None and start < tag.start() < end:
            return None
    return tag


def _unfenced(text: str) -> str:
    whole = _FENCE.fullmatch(text)
    if whole is None or whole[1] in whole[2]:
        return text
    return whole[2].strip()
