"""Charts as values: bars with their numbers, and where each one leads.

Owns: which charts a page has and which records a bar stands for. Does not own: drawing
(`static/charts.js`), the numbers (services), the table beside a chart (`quality/charts.html`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from corpusmith.api.paths import url_of
from corpusmith.service.task_views import RunView, TaskDetail
from corpusmith.store.values import Bin, DatasetNumbers, Label
from corpusmith.web.figures import number
from corpusmith.web.render import at

Say = Callable[..., str]
Tone = Literal["", "good", "bad", "quiet"]
MOST_BARS = 12
"""A chart with more shows the first ones, and all others as one; its table has them all."""
_STEP = 0.0001
"""Scores are told apart by no less: what lies below a mark ends here."""
STATES: dict[str, Tone] = {"pending": "quiet", "approved": "good", "rejected": "bad"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One number."""

    name: str
    count: float
    href: str = ""
    """The records that it counts; empty: no list shows just these."""
    tone: Tone = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Numbers side by side. `rows`: names lie to the left; `columns`: a histogram, below."""

    id: str
    title: str
    head: str
    """Of the table's first column."""
    kind: Literal["rows", "columns"]
    bars: Sequence[Bar]
    counts: str = ""
    """Of the table's last column; empty: records."""
    others: str = ""
    """What the bar of all that are not drawn is called."""
    note: str = ""

    @property
    def drawn(self) -> list[dict[str, Any]]:
        """As `charts.js` takes it."""
        shown, rest = list(self.bars), 0.0
        if self.kind == "rows" and len(shown) > MOST_BARS:
            shown, rest = shown[: MOST_BARS - 1], sum(o.count for o in shown[MOST_BARS - 1 :])
        found = [
            {"name": one.name, "value": one.count, "href": one.href, "tone": one.tone}
            for one in shown
        ]
        if rest:
            found.append({"name": self.others, "value": rest, "href": "", "tone": "quiet"})
        return found


def of_dataset(name: str, numbers: DatasetNumbers, say: Say) -> list[Chart]:
    """What a dataset's page shows; a chart of nothing is left out."""
    to = _Leads(url_of("datasets", name, "records"), say)
    found = [
        to.states(numbers),
        to.labels("scenario", say("web.datasets.by_scenario"), numbers.scenarios,
                  numbers.more_scenarios),
        to.labels("character", say("web.datasets.by_character"), numbers.characters,
                  numbers.more_characters),
        to.labels("category", say("web.charts.by_category"), numbers.categories,
                  numbers.more_categories),
        to.bins("score", say("web.datasets.by_score"), say("web.datasets.score"), numbers.scores),
        to.bins("rating", say("web.datasets.by_rating"), say("web.datasets.rating"),
                numbers.ratings),
        to.bins("length", say("web.datasets.by_length"), say("web.datasets.characters_of_text"),
                numbers.lengths),
        to.labels("tag", say("web.charts.by_tag"), numbers.tags, 0, numbers.more_tags),
        to.flags(numbers),
    ]  # fmt: skip
    return [one for one in found if any(bar.count for bar in one.bars)]


def of_task(detail: TaskDetail, say: Say) -> list[Chart]:
    """What a task's page shows: how far each category is, and what each start of it brought."""
    dataset = detail.task.dataset
    path = url_of("datasets", dataset, "records") if dataset else ""
    bars = [
        Bar(
            name=one.name,
            count=one.accepted,
            href=at(path, {"category": one.name}) if path and one.accepted else "",
            tone="good" if one.accepted >= one.count else "",
        )
        for one in detail.categories
    ]
    if len(bars) < 2:
        return []
    ranked = sorted(bars, key=lambda one: (-one.count, one.name))
    return [
        Chart(
            id="category",
            title=say("web.charts.by_category"),
            head=say("web.charts.by_category"),
            kind="rows",
            bars=ranked,
            others=say("web.datasets.others"),
        )
    ]


def of_runs(runs: Sequence[RunView], say: Say) -> list[Chart]:
    """What each start of a task brought, and what it cost; one start says nothing beside itself."""
    if len(runs) < 2:
        return []
    head = say("web.charts.start")
    records = [Bar(name=f"#{one.number}", count=one.counts.accepted) for one in runs]
    costs = [
        Bar(name=f"#{one.number}", count=round(one.spend.cost_usd, 4))
        for one in runs
        if one.spend.cost_usd is not None
    ]
    made = Chart(
        id="run-records", title=say("web.charts.run_records"), head=head, kind="columns",
        bars=records,
    )  # fmt: skip
    spent = Chart(
        id="run-spend", title=say("web.charts.run_spend"), head=head, kind="columns", bars=costs,
        counts=say("web.tasks.spend"),
    )  # fmt: skip
    return [one for one in (made, spent) if any(bar.count for bar in one.bars)]


@dataclass(frozen=True, slots=True)
class _Leads:
    """Bars that lead to the list of a dataset."""

    path: str
    say: Say

    def states(self, numbers: DatasetNumbers) -> Chart:
        bars = [
            Bar(
                name=self.say(f"web.review.{state}"),
                count=numbers.by_state.get(state, 0),  # type: ignore[call-overload]
                href=at(self.path, {"state": state}),
                tone=tone,
            )
            for state, tone in STATES.items()
        ]
        title = self.say("web.charts.by_state")
        return Chart(id="state", title=title, head=title, kind="rows", bars=bars)

    def labels(
        self, field: str, title: str, found: Sequence[Label], more: int, more_names: int = 0
    ) -> Chart:
        others = self.say("web.datasets.others")
        bars = [self._label(field, one) for one in found]
        if more:
            bars.append(Bar(name=others, count=more, tone="quiet"))
        note = self.say("web.charts.more_names", n=number(more_names)) if more_names else ""
        return Chart(
            id=field, title=title, head=title, kind="rows", bars=bars, others=others, note=note
        )

    def _label(self, field: str, one: Label) -> Bar:
        if not one.name:
            return Bar(name=self.say("web.datasets.without"), count=one.count, tone="quiet")
        return Bar(name=one.name, count=one.count, href=at(self.path, {field: one.name}))

    def flags(self, numbers: DatasetNumbers) -> Chart:
        bars = [
            Bar(
                name=check_name(one.name, self.say),
                count=one.count,
                href=at(self.path, {"flag": one.name}),
                tone="bad",
            )
            for one in numbers.flags
        ]
        title = self.say("web.charts.by_flag")
        note = self.say("web.charts.flag_note")
        return Chart(id="flag", title=title, head=title, kind="rows", bars=bars, note=note)

    def bins(self, field: str, title: str, head: str, found: Sequence[Bin]) -> Chart:
        bars = [self._bin(field, one) for one in _inner(found)]
        return Chart(id=field, title=title, head=head, kind="columns", bars=bars)

    def _bin(self, field: str, one: Bin) -> Bar:
        least = {f"min_{field}": f"{one.start:g}"}
        if one.end is None:
            name = f"{number(one.start)}–5" if field != "length" else f"{number(one.start)}+"
            return Bar(name=name, count=one.count, href=at(self.path, least))
        # A list's limits are both inside; of a bar the upper one is not.
        below = one.end - (1 if field == "length" else _STEP)
        most = {f"max_{field}": f"{below:.10g}"}
        name = f"{number(one.start)}–{number(one.end)}"
        return Bar(name=name, count=one.count, href=at(self.path, {**least, **most}))


def check_name(name: str, say: Say) -> str:
    """A check in words; one of another package by its own name."""
    try:
        return say(f"web.generate.check.{name}")
    except KeyError:
        return name


def _inner(found: Sequence[Bin]) -> Sequence[Bin]:
    """Without the empty bars at both ends; those in between say something."""
    full = [place for place, one in enumerate(found) if one.count]
    return found[full[0] : full[-1] + 1] if full else ()
