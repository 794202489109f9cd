"""Text on a terminal: Chinese takes two columns, and words stay whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from corpusmith.cli.widths import cut, pad, width, wrap

TEXTS = st.text(alphabet="ab 中文，（）。1-")


def test_chinese_takes_two_columns() -> None:
    assert (width("ab中文，"), pad("中", 4), cut("中文字", 5)) == (8, "中  ", "中文…")


def test_punctuation_stays_with_what_it_closes_or_opens() -> None:
    assert wrap("一二三四，五六（七八）", 10) == ["一二三四，", "五六（七", "八）"]


@given(TEXTS, st.integers(8, 40))
def test_wrapping_loses_nothing_but_blanks(text: str, columns: int) -> None:
    lines = wrap(text, columns)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(st.text(alphabet="中文字，"), st.integers(8, 40))
def test_no_line_of_chinese_is_too_wide(text: str, columns: int) -> None:
    # A run of punctuation is never torn, however long.
    if "，，" not in text:
        assert all(width(line) <= columns for line in wrap(text, columns))
