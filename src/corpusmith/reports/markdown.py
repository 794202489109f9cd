"""The report in Markdown: what stands out, and the numbers as tables; charts and examples are the
page's.

Owns: its lines. Does not own: the numbers (`report.py`), words (the catalog).
Texts of records and names are data: nothing in them is markup here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from corpusmith.reports.figures import decimal, money, number, percent, share_of
from corpusmith.reports.markup import cut
from corpusmith.reports.report import Group, Report
from corpusmith.reports.words import LONGEST_LABEL, MOST_ROWS, Words, gap
from corpusmith.values import Language

_SIGNS = re.compile(r"([\\`*_\[\]<>|~&$])")
_MARKS = {"bad": "❗", "note": "·", "good": "✓"}


def markdown(report: Report, language: Language) -> str:
    """The whole file."""
    words = Words(language)
    parts = (_head, _findings, _counts, _groups, _scores, _checks)
    return "\n".join(line for part in parts for line in part(report, words)) + "\n"


def plain(text: object) -> str:
    """A foreign name that Markdown shows as it is, on one line."""
    return escaped(cut(str(text), LONGEST_LABEL))


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _SIGNS.sub(r"\\\1", " ".join(text.split()))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + " --- |" * len(heads)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def _heading(words: Words, name: str) -> Iterator[str]:
    yield f"## {words(f'section.{name}')}"
    yield ""


def _head(report: Report, words: Words) -> Iterator[str]:
    yield f"# {words('title', name=plain(report.name))}"
    yield ""
    yield words("made", date=report.made_at[:10], time=report.made_at[11:16])
    yield ""
    if report.only:
        chosen = words("comma").join(f"{name}={plain(one)}" for name, one in report.only.items())
        yield words("only", chosen=chosen)
        yield ""


def _findings(report: Report, words: Words) -> Iterator[str]:
    yield from _heading(words, "summary")
    for one in report.findings:
        told = escaped(words.told(one.code, one.data))
        command = "" if one.command is None else f"{gap(told)}`{one.command.replace('`', '')}`"
        yield f"- {_MARKS[one.weight]} {told}{command}"
    yield ""


def _counts(report: Report, words: Words) -> Iterator[str]:
    yield from _heading(words, "production")
    made = report.production
    names = ("requested", "attempted", "accepted", "rejected", "failed", "pending", "shortfall")
    counts = [(words(name), number(getattr(made, name))) for name in names]
    tokens = [(words(name), number(getattr(made, name))) for name in ("calls", *_TOKENS)]
    cost = words("unknown_price") if made.cost_usd is None else money(made.cost_usd)
    own = (words("tile_name.records"), number(report.records))
    yield from _table(["", ""], [own, *counts, *tokens, (words("cost"), cost)])


_TOKENS = ("prompt_tokens", "completion_tokens")


def _groups(report: Report, words: Words) -> Iterator[str]:
    shown = [group for group in report.groups if group.shares]
    if shown:
        yield from _heading(words, "groups")
    for group in shown:
        yield from _group(group, report.records, words)


def _group(group: Group, records: int, words: Words) -> Iterator[str]:
    rows = [
        (plain(one.name), number(one.records), percent(share_of(one.records, records)))
        for one in group.shares[:MOST_ROWS]
    ]
    rest = sum(one.records for one in group.shares[MOST_ROWS:]) + group.others
    if rest:
        rows.append(("…", number(rest), percent(share_of(rest, records))))
    heads = (words(f"label.{group.label}"), words("tile_name.records"), words("share"))
    yield from _table(heads, rows)


def _scores(report: Report, words: Words) -> Iterator[str]:
    if report.evaluations:
        yield from _heading(words, "scores")
    for one in report.evaluations:
        rows = [
            (plain(part.label), "–" if part.mean is None else decimal(part.mean))
            for part in one.dimensions
        ]
        yield from _table([plain(one.rubric), words("tile_name.score")], rows)


def _checks(report: Report, words: Words) -> Iterator[str]:
    if not report.checks:
        return
    yield from _heading(words, "checks")
    rows = [
        (plain(one.name), number(one.passed), number(one.flagged), number(one.masked))
        for one in report.checks
    ]
    yield from _table(["", words("passed"), words("flagged"), words("masked")], rows)
