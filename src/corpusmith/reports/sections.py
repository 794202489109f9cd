"""The sections of the page that are numbers, in their order.

Owns: which tables and charts a section has, and what stands in their place without data. Does not
own: the numbers (`report.py`), drawing (`charts.py`), texts (the catalog).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from corpusmith.reports import charts
from corpusmith.reports.figures import money, number, percent, share_of
from corpusmith.reports.markup import Markup, Part, element
from corpusmith.reports.report import (
    Group,
    Production,
    Report,
    Spread,
    TaskPart,
)
from corpusmith.reports.words import (
    MOST_ROWS,
    Words,
    counted,
    folded,
    hint,
    label,
    legend,
    missing,
    pairs,
    panel,
    panels,
    section,
    table,
)

_OUTCOMES = (("accepted", "ok"), ("rejected", "c2"), ("failed", "c4"), ("pending", "c0"))


# ---------------------------------------------------------------- counts and cost


def production(report: Report, words: Words) -> Markup:
    made = report.production
    if not made.tasks:
        gone = number(made.records_of_deleted_tasks)
        return section(words, "production", missing(words("no_tasks", n=gone)))
    gone_hint = None
    if made.records_of_deleted_tasks:
        gone_hint = hint(words("deleted_tasks", n=number(made.records_of_deleted_tasks)))
    scope = hint(words("scope_of_counts")) if _other_records(report) else None
    return section(
        words,
        "production",
        panels(
            panel(words("outcomes"), *_outcomes(made, words)),
            panel(words("spend"), _spend(made, words)),
        ),
        scope,
        gone_hint,
        _reasons(made, words),
        _tasks(made.tasks, words),
    )


def _other_records(report: Report) -> bool:
    here = report.records - report.production.records_of_deleted_tasks
    return here != report.production.accepted


def _outcomes(made: Production, words: Words) -> Iterator[Markup]:
    parts = [(words(name), getattr(made, name), colour) for name, colour in _OUTCOMES]
    parts = [one for one in parts if one[1]]
    yield pairs(
        [
            (words("requested"), number(made.requested)),
            (words("accepted"), number(made.accepted)),
            (words("shortfall"), number(made.shortfall)),
            (words("attempted"), number(made.attempted)),
        ]
    )
    if parts:
        yield charts.stack(parts, words("outcomes"))
        yield legend((f"{name} {number(value)}", colour) for name, value, colour in parts)


def _spend(made: Production, words: Words) -> Markup:
    unknown = words("unknown_price")
    return pairs(
        [
            (words("calls"), number(made.calls)),
            (words("prompt_tokens"), number(made.prompt_tokens)),
            (words("completion_tokens"), number(made.completion_tokens)),
            (words("tokens_each"), number(made.tokens_per_accepted)),
            (words("cost"), unknown if made.cost_usd is None else money(made.cost_usd)),
            (
                words("cost_each"),
                unknown if made.cost_usd is None else money(made.cost_usd_per_accepted),
            ),
        ]
    )


def _reasons(made: Production, words: Words) -> Markup:
    found = [
        *((words("rejected"), reason, n, "c2") for reason, n in made.rejected_by_reason.items()),
        *((words("failed"), cause, n, "c4") for cause, n in made.failed_by_cause.items()),
    ]
    if not found:
        return missing(words("no_misses"))
    most = max(n for _, _, n, _ in found)
    return table(
        words("reasons"),
        [words("outcome"), words("reason"), words("drafts"), words("share"), ""],
        [
            (
                kind,
                words.of("short", reason),
                number(n),
                percent(share_of(n, made.attempted)),
                charts.bar(n, most, colour=colour),
            )
            for kind, reason, n, colour in found
        ],
        right=(2, 3),
        wide=(4,),
    )


def _tasks(tasks: Sequence[TaskPart], words: Words) -> Markup:
    names = ["task", "name", "recipe", "status", "here", "requested", "accepted"]
    names += ["rejected", "failed", "tokens", "cost"]
    shown = table(
        words("tasks"),
        [words(name) for name in names],
        [
            (
                f"#{one.id}",
                label(one.name),
                words.of("recipe", one.recipe),
                words.of("status", one.status),
                number(one.records),
                number(one.requested),
                number(one.accepted),
                number(one.rejected),
                number(one.failed),
                number(one.prompt_tokens + one.completion_tokens),
                words("unknown_price") if one.cost_usd is None else money(one.cost_usd),
            )
            for one in tasks
        ],
        right=range(4, 11),
    )
    return folded(words("tasks_n", n=number(len(tasks))), shown, open_=len(tasks) <= 3)


# ---------------------------------------------------------------- lengths and turns


def lengths(report: Report, words: Words) -> Markup:
    whole = [one for one in report.lengths if not one.name.startswith("part:")]
    parts = [one for one in report.lengths if one.name.startswith("part:")]
    drawn = [_spread(one, words) for one in whole]
    if report.turns:
        turns, bins = words("turns"), report.turns
        # One column would say nothing that a sentence does not.
        chart = charts.histogram(bins, turns, single=True) if len(bins) > 1 else None
        all_same = None if chart else element("p", words("turns_all", n=number(bins[0].low)))
        drawn.append(panel(turns, chart, all_same, hint(words("turns_hint"))))
    return section(words, "lengths", panels(drawn), _parts(parts, words))


def _spread(one: Spread, words: Words) -> Markup:
    title = words(f"length.{one.name}")
    return panel(
        title,
        charts.histogram(one.bins, title),
        hint(
            words(
                "spread",
                least=number(one.least),
                median=number(one.median),
                p95=number(one.p95),
                most=number(one.most),
            )
        ),
    )


def _parts(parts: Sequence[Spread], words: Words) -> Markup | None:
    if not parts:
        return None
    most = max(one.median for one in parts)
    headers = ["part", "texts", "least", "median", "mean", "p95", "most"]
    return table(
        words("parts"),
        [*(words(name) for name in headers), words("median_bar")],
        [
            (
                words.of("report.part", one.name.removeprefix("part:")),
                number(one.count),
                number(one.least),
                number(one.median),
                number(one.mean),
                number(one.p95),
                number(one.most),
                charts.bar(one.median, most),
            )
            for one in parts
        ],
        right=range(1, 7),
        wide=(7,),
    )


# ---------------------------------------------------------------- groups


def groups(report: Report, words: Words) -> Markup:
    drawn = [_group(one, report.records, words) for one in report.groups]
    if not drawn:
        return section(words, "groups", missing(words("no_groups")))
    marks = any(share.wanted is not None for one in report.groups for share in one.shares)
    return section(words, "groups", hint(words("wanted_hint")) if marks else None, drawn)


def _group(group: Group, records: int, words: Words) -> Markup:
    wanted = any(one.wanted is not None for one in group.shares)
    most = max((max(one.records, one.wanted or 0) for one in group.shares), default=0)
    headers = ["name", "records", "share", *(["wanted", "short"] if wanted else [])]
    rows: list[Sequence[Part]] = []
    for one in group.shares:
        short = max(0, (one.wanted or 0) - one.records)
        cells: list[Part] = [label(one.name) if one.name else words("unnamed"), number(one.records)]
        cells.append(percent(share_of(one.records, records)))
        if wanted:
            cells.append(number(one.wanted))
            cells.append(element("strong", number(short), class_="short") if short else "0")
        rows.append([*cells, charts.bar(one.records, most, mark=one.wanted)])
    for name, count in (("others", group.others), ("without", group.without)):
        if count:
            rest: list[Part] = [words(name), number(count), percent(share_of(count, records))]
            rows.append(
                [*rest, *(["", ""] if wanted else []), charts.bar(count, most, colour="c0")]
            )
    title = words.of("report.label", group.label)
    numbers = range(1, len(headers))
    head = [*(words(name) for name in headers), ""]
    caption = words("by", label=words.value("label", group.label))
    first = table(caption, head, rows[:MOST_ROWS], right=numbers, wide=(len(headers),))
    more = None
    if len(rows) > MOST_ROWS:
        rest_of = table(caption, head, rows[MOST_ROWS:], right=numbers, wide=(len(headers),))
        more = folded(words("more", n=number(len(rows) - MOST_ROWS)), rest_of)
    return element("div", element("h3", title), first, more, class_="group")


# ---------------------------------------------------------------- languages and models


def languages(report: Report, words: Words) -> Markup:
    named = {words.value("language", name): n for name, n in report.languages.items()}
    models = panel(words("models"), missing(words("no_models")))
    if report.models:
        models = panel(
            words("models"), counted(words("models"), words("model"), report.models, words)
        )
    return section(
        words,
        "languages",
        panels(
            panel(
                words("languages"),
                counted(words("languages"), words("language"), named, words),
                hint(words("languages_hint", n=number(sum(named.values())))),
            ),
            models,
        ),
    )
