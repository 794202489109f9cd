"""What a check does with what it finds: turn the draft down, flag it, or mask the places.

Owns: the options that say so, the verdict, and the masked copy. Does not own: finding (`words.py`,
`personal.py`). Whoever finds things group by group (categories, kinds) may treat each its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

from corpusmith.errors import SpecError
from corpusmith.quality.shapes import written
from corpusmith.quality.variants import spaced
from corpusmith.values import Draft, Json, Verdict

Act = Literal["reject", "mask", "flag"]
ACTS: tuple[Act, ...] = get_args(Act)
"""The strongest first: of several finds in a draft the strongest counts."""

Span = tuple[int, int]
"""Start and end of a place in a text."""


def acts_for(check: str, given: Any, groups: Collection[str], default: Act) -> dict[str, Act]:
    """Group → what is done with a find of it. `given`: one action, or a mapping group → action;
    groups that it leaves out get `default`. Raises SpecError."""
    if isinstance(given, str):
        return dict.fromkeys(groups, _act(check, given))
    if not isinstance(given, Mapping):
        raise SpecError("check_choice", name=check, option="action", known=", ".join(ACTS))
    for group in given:
        if group not in groups:
            known = ", ".join(sorted(groups))
            raise SpecError("check_group", name=check, group=str(group)[:60], known=known)
    return {group: _act(check, given.get(group, default)) for group in groups}


def _act(check: str, given: Any) -> Act:
    for act in ACTS:
        if given == act:
            return act
    raise SpecError("check_choice", name=check, option="action", known=", ".join(ACTS))


def mask_sign(check: str, given: Any) -> str:
    """The sign that stands for a masked character. Raises SpecError for what could be text."""
    one = isinstance(given, str) and len(given) == 1 and given.isprintable()
    if not one or given.isalnum() or given.isspace():
        raise SpecError("check_mask", name=check)
    return str(given)


def texts_option(check: str, option: str, given: Any) -> tuple[str, ...]:
    """One text or a list of texts, none of which shows nothing. Raises SpecError."""
    if isinstance(given, Mapping) or not isinstance(given, Iterable):
        raise SpecError("check_texts", name=check, option=option)
    texts = (given,) if isinstance(given, str) else tuple(given)
    if not all(isinstance(text, str) and spaced(text).strip() for text in texts):
        raise SpecError("check_texts", name=check, option=option)
    return texts


def strongest(acts: Iterable[Act]) -> Act:
    """Of at least one."""
    return min(acts, key=ACTS.index)


def verdict_of(
    act: Act, reason: str, detail: Mapping[str, Json], masked: Callable[[], Json]
) -> Verdict:
    """The verdict on a draft with finds. `masked` makes its content without them."""
    if act == "reject":
        return Verdict(passed=False, reason=reason, detail=detail)
    content = masked() if act == "mask" else None
    return Verdict(passed=True, reason=reason, detail=detail, content=content)


def masked_content(draft: Draft, mask: Callable[[str], str]) -> Json:
    """A copy of the draft's content with `mask` applied to each text that is its own to answer
    for; what it was given stays as it is."""
    own = written(draft)
    changed = _mapped(own, mask)
    if own is draft.content:
        return changed
    whole = {**draft.content, **changed}
    given = draft.provenance.get("given_rounds", 0)
    if given:
        whole["rounds"] = [*draft.content["rounds"][:given], *changed["rounds"]]
    return whole


def masked_text(
    text: str, find: Callable[[str], Sequence[Span]], cover: Callable[[str], str]
) -> str:
    """`text` with every place that `find` names covered, until it finds nothing.

    Again and again, since signs of a mask may bring two other characters together as one word:
    毒毒品品 is 毒**品 first.
    """
    while spans := find(text):
        signs = list(text)
        for start, end in spans:
            signs[start:end] = map(cover, signs[start:end])
        masked = "".join(signs)
        if masked == text:
            break
        text = masked
    return text


def _mapped(content: Json, change: Callable[[str], str]) -> Json:
    """A deep copy of `content` with every text changed. Without recursion: content may be deep."""
    root: list[Json] = [content]
    todo: list[tuple[Any, Any]] = [(root, 0)]
    while todo:
        holder, key = todo.pop()
        value = holder[key]
        if isinstance(value, str):
            holder[key] = change(value)
        elif isinstance(value, dict):
            holder[key] = dict(value)
            todo += [(holder[key], name) for name in value]
        elif isinstance(value, list):
            holder[key] = list(value)
            todo += [(holder[key], at) for at in range(len(value))]
    return root[0]
