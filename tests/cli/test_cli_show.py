"""Progress: a panel for people, a line for logs."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from corpusmith.cli.session import Session
from corpusmith.cli.show import by_group, panel, plain_line
from corpusmith.engine.progress import CategoryProgress, Pace, Snapshot
from corpusmith.values import Counts, Spend, Usage

SNAPSHOT = Snapshot(
    task_id=3,
    status="running",
    counts=Counts(requested=300, attempted=250, accepted=201, rejected=7, failed=2),
    categories=[
        CategoryProgress(
            name=f"{scenario}/{who}",
            labels={"scenario": scenario, "character": who},
            counts=Counts(requested=wanted, accepted=done),
        )
        for scenario, who, done, wanted in (
            ("日常对话", "林知秋", 60, 100),
            ("日常对话", "贺三娘", 41, 100),
            ("[b]Heart to heart[/b]", "林知秋", 100, 100),
        )
    ],
    spend=Spend(
        calls=210, usage=Usage(prompt_tokens=40_000, completion_tokens=9_000), cost_usd=0.0123
    ),
    records_per_s=12.34,
    remaining_s=8.02,
    paces=[
        Pace(
            endpoint="http://x/v1",
            model="m",
            in_flight=40,
            limit=64,
            waiting=3,
            reason="retry_after",
            wait_s=4.6,
        )
    ],
    replayed=12,
    misses={"turns": 7, "timed_out": 2},
    retries={"rate_limited": 5},
)


def drawn(language: Any, columns: int, snapshot: Snapshot = SNAPSHOT) -> list[str]:
    console = Console(file=io.StringIO(), width=columns, markup=False, highlight=False)
    console.print(panel(Session(language=language), snapshot))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_the_panel_says_everything_in_english() -> None:
    assert drawn("en", 80) == [
        "日常对话               101/200  ━━━━━━━━━━━━━━━",
        "[b]Heart to heart[/b]  100/100  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━",
        "total                  201/300  ━━━━━━━━━━━━━━━━━━━━",
        "12.3 records/s · 8 s left",
        "40/64 in flight: the endpoint asked to wait 5 s",
        "210 calls, 49,000 tokens, $0.0123 (12 from the journal, free)",
        "not accepted: wrong number of turns 7, timed out 2 · failed calls: rate limited",
        "(429) 5",
    ]


def test_the_panel_says_everything_in_chinese_on_a_narrow_terminal() -> None:
    assert drawn("zh", 60)[-4:] == [
        "12.3 条/秒 · 剩余 8 秒",
        "处理中 40/64：端点要求等待 5 秒",
        "210 次调用，49,000 token，$0.0123（12 次来自记录，免费）",
        "未采用：轮数不对 7、超时 2 · 失败的调用：被限速（429） 5",
    ]


def test_many_scenarios_are_summed_up_below_the_twelfth() -> None:
    many = [
        CategoryProgress(
            name=str(n), labels={"scenario": f"s{n}"}, counts=Counts(requested=1, accepted=0)
        )
        for n in range(20)
    ]
    lines = drawn("en", 80, replace(SNAPSHOT, categories=many))
    assert (lines[11][:3], lines[12], lines[13][:5]) == ("s11", "… and 8 more", "total")


@pytest.mark.parametrize(
    ("language", "line"),
    [
        (
            "en",
            "201/300 (67%) · 12.3 records/s · 40/64 in flight: the endpoint asked to wait 5 s · "
            "210 calls, 49,000 tokens, $0.0123 (12 from the journal, free) · 8 s left · "
            "not accepted: wrong number of turns 7, timed out 2 · "
            "failed calls: rate limited (429) 5",
        ),
        (
            "zh",
            "201/300 (67%) · 12.3 条/秒 · 处理中 40/64：端点要求等待 5 秒 · "
            "210 次调用，49,000 token，$0.0123（12 次来自记录，免费） · 剩余 8 秒 · "
            "未采用：轮数不对 7、超时 2 · 失败的调用：被限速（429） 5",
        ),
    ],
)
def test_a_log_line_says_the_same(language: Any, line: str) -> None:
    assert plain_line(Session(language=language), SNAPSHOT) == line


def test_characters_of_a_scenario_are_summed() -> None:
    assert by_group(SNAPSHOT) == {
        "日常对话": (101, 200),
        "[b]Heart to heart[/b]": (100, 100),
    }
