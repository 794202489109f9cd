"""Facts and reports to test with: everything has a plain value that a test may replace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from corpusmith.reports.diversity import diversity
from corpusmith.reports.findings import findings
from corpusmith.reports.report import (
    FORMAT,
    DimensionPart,
    Duplicates,
    EvaluationPart,
    Example,
    Examples,
    Production,
    Report,
    TaskPart,
    Twin,
)
from corpusmith.reports.tally import Facts, Tally

HOSTILE = (
    "</style><script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>&lt;script&gt;&#60;b&#62;',
    "‮gnp.exe‬ \x1b[2J\x00\ufeff",
    "{name} {{x}} %s ${y}",
    "javascript:alert(1)//\u2028\u2029\u2067<a href='javascript:alert(1)'>x</a>",
    "--><!--<![CDATA[<iframe srcdoc=x>]]>",
    "长" * 100_000,
)


def facts(number: int = 1, **changed: Any) -> Facts:
    return replace(
        Facts(
            id=number,
            task_id=1,
            text=f"你好，今天天气怎么样？第 {number} 天了。\n很好，我们去公园走走吧。",
            language="zh",
            opening=f"你好，今天天气怎么样？第 {number} 天了。",
            parts={"user": ["你好，今天天气怎么样？"], "assistant": ["很好，我们去公园走走吧。"]},
            turns=1,
            labels={"scenario": "日常对话"},
            state="pending",
            score=None,
            rating=None,
            worth=None,
            edited=False,
            flagged=False,
            tags=(),
            actions={"format": "pass"},
            models=("m",),
            simulated=False,
            judged_by_simulator=False,
        ),
        **changed,
    )


def tally_of(some: Iterable[Facts], seed: int = 0) -> Tally:
    tally = Tally(seed)
    for one in some:
        tally.add(one)
    return tally


def task_part(**changed: Any) -> TaskPart:
    plain = TaskPart(
        id=1, name="一批", recipe="dialogue", status="finished", records=10, requested=10,
        attempted=10, accepted=10, rejected=0, failed=0, calls=10, prompt_tokens=900,
        completion_tokens=100, cost_usd=0.5,
    )  # fmt: skip
    return replace(plain, **changed)


def production(*tasks: TaskPart, **changed: Any) -> Production:
    tasks = tasks or (task_part(),)
    plain = Production(
        requested=sum(one.requested for one in tasks),
        attempted=sum(one.attempted for one in tasks),
        accepted=sum(one.accepted for one in tasks),
        rejected=sum(one.rejected for one in tasks),
        failed=sum(one.failed for one in tasks),
        pending=0,
        shortfall=sum(one.shortfall for one in tasks),
        rejected_by_reason={},
        failed_by_cause={},
        calls=10,
        prompt_tokens=900,
        completion_tokens=100,
        cost_usd=0.5,
        tokens_per_accepted=100.0,
        cost_usd_per_accepted=0.05,
        tasks=tasks,
        records_of_deleted_tasks=0,
    )
    return replace(plain, **changed)


def evaluation(label: str = "有用性", **changed: Any) -> EvaluationPart:
    plain = EvaluationPart(
        task_id=2, of="dataset:客服", rubric="general", judges=("a", "b"), scored=10, elsewhere=0,
        missed=0, mean=4.2,
        distribution=(0, 1, 2, 3, 4),
        dimensions=(
            DimensionPart(
                name="helpfulness", label=label, mean=4.2, distribution=(0, 1, 2, 3, 4),
                kappa=0.8, alpha=0.8,
            ),
        ),
        exact=0.7, within_one=1.0, kappa=0.8, alpha=0.8, simulated=False,
    )  # fmt: skip
    return replace(plain, **changed)


def example(*texts: str, **changed: Any) -> Example:
    lines = tuple(("user", text) for text in texts or ("你好",))
    return replace(Example(record=7, task_id=1, reason="", score=None, lines=lines), **changed)


NO_EXAMPLES = Examples(basis=None, best=(), worst=(), drawn=(), rejected=())


def report(
    some: Sequence[Facts] | None = None,
    wanted: dict[str, dict[str, int]] | None = None,
    **changed: Any,
) -> Report:
    """A report on `some` records (ten, if not given) with its findings worked out."""
    tally = tally_of([facts(number) for number in range(10)] if some is None else some)
    plain = Report(
        format=FORMAT,
        made_at="2026-11-21T13:00:00Z",
        seed=0,
        kind="dataset",
        name="客服",
        task=None,
        only={},
        language="zh",
        records=tally.records,
        simulated=tally.simulated,
        findings=(),
        production=production(),
        lengths=tally.spreads(),
        turns=tally.turn_bins(),
        groups=tally.groups(wanted or {}),
        evaluations=(),
        judged=tally.judged(),
        judged_by_simulator=tally.judged_by_simulator,
        checks=tally.check_parts(),
        flagged=tally.flagged,
        duplicates=Duplicates(
            looked_at=tally.records, sampled=False, threshold=0.7, exact=0, near=0, rejected=0,
            pairs=(),
        ),
        diversity=diversity(tally.texts.drawn(), tally.openings.drawn(), tally.rng("pairs")),
        languages=dict(tally.languages.most_common()),
        models=tally.models.counts(),
        review=tally.review(),
        examples=NO_EXAMPLES,
    )  # fmt: skip
    made = replace(plain, **changed)
    return replace(made, findings=findings(made))


def hostile_report() -> Report:
    """Every text that comes from elsewhere is an attack."""
    some = [
        facts(
            number,
            text=f"{number} {text}",
            opening=text,
            parts={text[:50]: [text]},
            labels={text[:40]: text, "scenario": text},
            models=(text,),
            tags=(text,),
            actions={text[:40]: "flag"},
            flagged=True,
            state="approved",
            rating=4.0,
            score=2.0,
            worth=2.0,
        )
        for number, text in enumerate(HOSTILE * 3)
    ]
    cards = tuple(example(*HOSTILE, score=1.5) for _ in range(3))
    lost = production(
        task_part(name=HOSTILE[0], recipe=HOSTILE[1], status=HOSTILE[2], rejected=3, attempted=13),
        rejected_by_reason={HOSTILE[0]: 2, HOSTILE[3]: 1},
        failed_by_cause={HOSTILE[1]: 1},
    )
    return report(
        some,
        wanted={"scenario": {text: 9 for text in HOSTILE}},
        name=HOSTILE[0],
        only={"scenario": HOSTILE[1]},
        language="zh",
        production=lost,
        evaluations=(evaluation(HOSTILE[0], rubric=HOSTILE[1], judges=HOSTILE),),
        duplicates=Duplicates(
            looked_at=18, sampled=True, threshold=0.7, exact=1, near=2, rejected=0,
            pairs=(Twin(record=2, earlier=1, similarity=0.9),),
        ),
        examples=Examples(
            basis="evaluation", best=cards, worst=cards, drawn=cards,
            rejected=(example(*HOSTILE, record=None, reason=HOSTILE[2]),),
        ),
    )  # fmt: skip


class Outline(HTMLParser):
    """What a browser makes of a page: its elements, and the text of some."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.unbalanced: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts.setdefault(tag, []).append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return "".join(self.texts.get("body", ()))
