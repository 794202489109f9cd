"""Charts: geometry, and what a screen reader is told."""

from __future__ import annotations

import re

import pytest
from report_kit import Outline

from corpusmith.reports import charts
from corpusmith.reports.counting import Bin
from corpusmith.reports.diversity import Branch
from corpusmith.reports.figures import decimal, money, number, percent

BINS = [
    Bin(low=0, high=10, count=3),
    Bin(low=10, high=20, count=0),
    Bin(low=20, high=None, count=6),
]


def widths(svg: str) -> list[float]:
    return [float(one) for one in re.findall(r'<rect[^>]* width="([\d.]+)%"', svg)]


@pytest.mark.parametrize(
    ("value", "most", "mark", "width", "at"),
    [(5, 10, None, 50, None), (5, 10, 8, 50, 80), (5, 10, 20, 25, 100), (0, 0, None, 0, None)],
)
def test_a_bar_is_as_long_as_its_share(
    value: float, most: float, mark: float | None, width: float, at: float | None
) -> None:
    svg = charts.bar(value, most, mark=mark)
    assert widths(svg) == [width]
    assert [float(x) for x in re.findall(r'x1="([\d.]+)%"', svg)] == ([] if at is None else [at])


def test_a_stack_is_whole_and_tells_each_part() -> None:
    svg = charts.stack([("采用", 90, "ok"), ("没有", 0, "c0"), ("失败", 10, "c4")], "去向")
    assert widths(svg) == [90, 10]
    assert Outline(f"<body>{svg}</body>").texts["title"] == [
        "去向",
        "采用: 90 (90%)",
        "失败: 10 (10%)",
    ]


def test_a_histogram_tells_each_column() -> None:
    svg = charts.histogram(BINS, "长度")
    assert Outline(f"<body>{svg}</body>").texts["title"] == ["长度", "0–9: 3", "10–19: 0", "20+: 6"]


def test_the_highest_column_is_as_high_as_the_chart() -> None:
    heights = [
        float(h) for h in re.findall(r'<rect[^>]* height="([\d.]+)"', charts.histogram(BINS, ""))
    ]
    assert heights == [56, 0, 112]


def test_a_branch_is_as_high_as_its_share_and_others_go_through() -> None:
    root = Branch(
        word="",
        count=100,
        branches=[Branch(word="请问", count=75, branches=[]), Branch(word="", count=25)],
    )
    svg = charts.icicle(root, 3, 400, "其他", "开头")
    cells = re.findall(r'<svg x="([\d.]+)%" y="([\d.]+)" width="([\d.]+)%" height="([\d.]+)"', svg)
    assert [tuple(map(float, cell)) for cell in cells] == [(0, 0, 33.333, 300), (0, 300, 100, 100)]


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (number(1234567), "1,234,567"),
        (number(None), "–"),
        (decimal(3.14159), "3.14"),
        (decimal(-0.001), "0.00"),
        (percent(0.0321), "3.2%"),
        (percent(0.5), "50%"),
        (percent(0.00001), "<0.1%"),
        (percent(0.99999), ">99.9%"),
        (percent(1.0), "100%"),
        (percent(None), "–"),
        (money(0.0), "$0"),
        (money(12345.678), "$12,345.68"),
        (money(0.423), "$0.423"),
        (money(0.00106), "$0.00106"),
        (money(None), "–"),
    ],
)
def test_numbers_are_written_for_people(shown: str, text: str) -> None:
    assert shown == text
