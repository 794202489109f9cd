"""The data card of a dataset: a README that says what is in it, who made it, and how.

Owns: its front matter, its sections, and that no text of a record, a prompt or a name can be
anything but text there. Does not own: what is told (`export_facts.py`), the folder
(`hf_layout.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from corpusmith import __version__
from corpusmith.messages import say
from corpusmith.service.export_facts import Facts
from corpusmith.service.export_manifest import Told, selected
from corpusmith.service.export_rows import reason_text
from corpusmith.values import Json, Language

UNKNOWN = "unknown"
LICENCES = frozenset(
    (
        *("apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "gpl-3.0", "agpl-3.0", "lgpl-3.0"),
        *("cc0-1.0", "cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0"),
        *("cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0"),
        *("cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0"),
        *("cc-by-nc-sa-4.0", "cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0"),
        *("odbl", "odc-by", "pddl", "unlicense", "gfdl", "openrail", "other", UNKNOWN),
    )
)
"""The hub's own words for licences; any other is `other` with its name."""

_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"))
_HUGE = ((10**7, "1M<n<10M"), (10**8, "10M<n<100M"), (10**9, "100M<n<1B"))
_MARKS = re.compile(r"([\\`*_{}\[\]<>()#!|&~$])")
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f]|[\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
"""What steers a terminal or the direction of text."""

_MOST_CHARACTERS = 4000
"""Of one prompt."""
_MOST_CATEGORIES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptText:
    """A prompt as a task used it."""

    title: str
    """Such as a template with its version; empty: only the role is known."""
    role: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a card needs besides what a manifest tells."""

    name: str
    language: Language
    licence: str
    shape: str
    prompts: Sequence[PromptText]
    source: str
    """What `load_dataset` is given."""


def data_card(card: Card, told: Told) -> bytes:
    """The whole README in UTF-8."""
    say_ = _Said(card.language)
    parts = [
        _front_matter(card, told),
        f"# {escaped(card.name)}",
        *_nature(say_, told.facts),
        *_overview(say_, card, told),
        *_makers(say_, told),
        *_prompts(say_, card.prompts),
        *_checks(say_, told),
        *_selection(say_, told),
        *_review(say_, told.facts),
        *_licence(say_, card.licence),
        *_use(say_, card),
    ]
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace")


# ---------------------------------------------------------------- front matter


def _front_matter(card: Card, told: Told) -> str:
    facts = told.facts
    body: dict[str, Json] = {"pretty_name": _line(card.name), **_licence_fields(card.licence)}
    languages = sorted({one.language for one in told.makers if one.language})
    body |= {
        "language": languages or [card.language],
        "task_categories": ["text-generation"],
        "size_categories": [_size(facts.rows.total())],
        "tags": _tags(card, facts),
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": part, "path": f"data/{part}-*"} for part in _parts(told)],
            }
        ],
    }
    text = yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=1000)
    return f"---\n{text}---"


def _licence_fields(licence: str) -> dict[str, str]:
    known = licence.strip().lower()
    if known in LICENCES:
        return {"license": known}
    return {"license": "other", "license_name": _line(licence)}


def _tags(card: Card, facts: Facts) -> list[str]:
    tags = ["corpusmith"]
    if facts.records > facts.imported:
        tags.append("synthetic")
    if facts.simulated:
        tags.append("simulated")
    return [*tags, card.shape]


def _size(rows: int) -> str:
    return next((name for most, name in (*_SIZES, *_HUGE) if rows < most), "n>1T")


def _parts(told: Told) -> Sequence[str]:
    return sorted(told.facts.parts) if told.split is None else told.split.names


# ---------------------------------------------------------------- sections


class _Said:
    """The card's own words in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, **data: Any) -> str:
        return say(f"card.{key}", self.language, **data)

    def head(self, key: str) -> str:
        return f"## {self(key)}"


def _nature(said: _Said, facts: Facts) -> Iterator[str]:
    """That the text is synthetic; and where we do not know, that."""
    n = facts.records
    if facts.simulated:
        yield f"> [!WARNING]\n> **{said('simulated', n=facts.simulated, all=n)}**"
    made = n - facts.imported
    if made:
        key = "synthetic" if not facts.imported else "synthetic_partly"
        yield f"**{said(key, n=made, all=n, version=__version__)}**"
    if facts.imported:
        yield said("imported", n=facts.imported, all=n)


def _overview(said: _Said, card: Card, told: Told) -> Iterator[str]:
    facts = told.facts
    yield said.head("overview")
    rows: list[Sequence[object]] = [
        (said("records"), facts.records),
        (said("rows"), facts.rows.total()),
        (said("shape"), _code(card.shape)),
    ]
    if told.split is not None:
        rows += [(said("part", part=_code(part)), facts.rows[part]) for part in told.split.names]
    yield _table((said("what"), said("value")), rows)
    if len(facts.categories) > 1:
        yield said.head("categories")
        most = facts.categories.most_common(_MOST_CATEGORIES)
        yield _table((said("category"), said("records")), [(escaped(k), n) for k, n in most])
        if len(facts.categories) > len(most):
            yield said("more", n=len(facts.categories) - len(most))


def _makers(said: _Said, told: Told) -> Iterator[str]:
    yield said.head("made")
    if not told.makers:
        yield said("makers_gone")
    for one in told.makers:
        lines = [
            f"- {said('recipe', recipe=_code(one.recipe))}",
            f"- {said('records_here', n=one.records, accepted=one.accepted, asked=one.requested)}",
        ]
        for role, model in one.roles.items():
            what = f"{_code(model['model'] or '?')} ({_code(model['provider'] or '?')})"
            lines.append(f"- {said('role', role=_code(role), model=what)}")
        if one.sampling:
            lines.append(f"- {said('sampling', values=_pairs(one.sampling))}")
        yield f"### {said('task', name=escaped(one.name))}"
        yield "\n".join(lines)
    told_models = {model["model"] for one in told.makers for model in one.roles.values()}
    others = sorted(set(told.facts.models) - told_models)
    if others:
        yield said("models", models=", ".join(map(_code, others)))


def _prompts(said: _Said, prompts: Sequence[PromptText]) -> Iterator[str]:
    if not prompts:
        return
    yield said.head("prompts")
    yield said("prompts_note")
    for one in prompts:
        title = escaped(one.title)
        yield f"### {title + ' · ' if title else ''}{_code(one.role)}"
        yield fenced(one.text[:_MOST_CHARACTERS])
        if len(one.text) > _MOST_CHARACTERS:
            yield said("cut", n=len(one.text) - _MOST_CHARACTERS)


def _checks(said: _Said, told: Told) -> Iterator[str]:
    yield said.head("checks")
    options: dict[str, list[str]] = {}
    for one in told.makers:
        for name, own in one.checks.items():
            told_options = options.setdefault(name, [])
            if own and (text := _pairs(own)) not in told_options:
                told_options.append(text)
    names = sorted({*options, *told.facts.checks})
    if not names:
        yield said("checks_none")
    else:
        head = (said("check"), said("options"), said("passed"), said("flagged"), said("masked"))
        yield _table(head, [_check_row(name, options, told.facts) for name in names])
    rejected: dict[str, int] = {}
    for one in told.makers:
        for reason, count in one.rejected.items():
            rejected[reason] = rejected.get(reason, 0) + count
    if rejected:
        yield said("rejected", n=sum(rejected.values()))
        yield _table(
            (said("reason"), said("drafts")),
            [(_code(reason), n) for reason, n in sorted(rejected.items(), key=lambda one: -one[1])],
        )


def _check_row(name: str, options: Mapping[str, Sequence[str]], facts: Facts) -> tuple[object, ...]:
    actions = facts.checks.get(name, Counter())
    counts = (actions.get(action, 0) for action in ("pass", "flag", "mask"))
    return (_code(name), "; ".join(options.get(name, ())) or "–", *counts)


def _selection(said: _Said, told: Told) -> Iterator[str]:
    yield said.head("selection")
    # Numbers of tasks and names of datasets mean nothing outside the database that they are in.
    given = {k: v for k, v in selected(told.selection).items() if k not in ("task_id", "dataset")}
    lines = [f"- {said('filters', values=_pairs(given) if given else said('filters_none'))}"]
    if told.balance is not None:
        by = said(f"by_{told.balance.by}")
        lines.append(f"- {said('balanced', by=by, n=told.balance.count, out=told.left_out)}")
    if told.pairs is not None:
        margin = f"{told.pairs.margin:g}"
        lines.append(f"- {said(f'pairs_{told.pairs.by}', margin=margin)}")
    if told.split is not None:
        lines.append(f"- {said('split', seed=told.seed)}")
    if told.without_character:
        n = sum(told.without_character.values())
        lines.append(f"- {said('without_character', n=n)}")
    for reason, count in (*told.refusals.counts.items(), *told.passed_over.counts.items()):
        text = reason_text(reason, said.language)
        lines.append(f"- {said('refused', n=count, reason=escaped(text))}")
    yield "\n".join(lines)


def _review(said: _Said, facts: Facts) -> Iterator[str]:
    yield said.head("review")
    states = ("approved", "pending", "rejected")
    yield _table(
        (said("state"), said("records")),
        [(said(f"state_{state}"), facts.states.get(state, 0)) for state in states],
    )
    yield said("review_more", rated=facts.rated, edited=facts.edited)


def _licence(said: _Said, licence: str) -> Iterator[str]:
    yield said.head("licence")
    known = licence.strip().lower() != UNKNOWN
    yield said("licence_is", licence=_code(licence)) if known else said("licence_unknown")
    yield said("licence_models")


def _use(said: _Said, card: Card) -> Iterator[str]:
    yield said.head("use")
    code = f"from datasets import load_dataset\n\nrows = load_dataset({card.source!r})"
    yield fenced(code, "python")


# ---------------------------------------------------------------- Markdown


def escaped(text: str) -> str:
    """`text` on one line, with nothing in it that Markdown or HTML would read as more than text."""
    return _MARKS.sub(r"\\\1", _line(text)).replace("\\<", "&lt;").replace("\\>", "&gt;")


def fenced(text: str, language: str = "text") -> str:
    """A block of code that nothing in `text` can end."""
    clean = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    longest = max(map(len, re.findall(r"`+", clean)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{clean}\n{fence}"


def _code(text: object) -> str:
    """Code within a line, also in a table."""
    clean = _line(str(text)).replace("|", "¦")
    longest = max(map(len, re.findall(r"`+", clean)), default=0)
    if not longest:
        return f"`{clean}`"
    marks = "`" * (longest + 1)
    return f"{marks} {clean} {marks}"


def _line(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", str(text)).split())


def _pairs(values: Mapping[str, Json]) -> str:
    return ", ".join(_code(f"{name}={value}") for name, value in values.items())


def _table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
