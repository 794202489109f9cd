"""Foreign text is never markup."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from report_kit import HOSTILE, Outline

from corpusmith.reports.markup import Markup, cut, element, foreign, joined, visible


@given(st.text())
def test_any_text_stays_text(text: str) -> None:
    page = Outline(element("body", element("p", text, title=text), foreign(text)))
    assert [name for name, _ in page.elements] == ["body", "p", "bdi"]
    assert page.unbalanced == []
    # A browser reads a lone carriage return as a line break; ours is shown as a sign.
    assert page.text == visible(text) * 2
    assert page.named("p") == [{"title": visible(text)}]


def test_what_turns_the_writing_or_hides_is_shown() -> None:
    assert visible("a\u202eb\x1b[0m\x00\u2066\ud800") == "a\ufffdb\ufffd[0m\ufffd\ufffd\ufffd"
    assert visible("行一\n行二\t列") == "行一\n行二\t列"


def test_attributes_are_written_as_they_are_called() -> None:
    made = element("td", class_="number", aria_label='"<', hidden=True, title=None, open=False)
    assert made == '<td class="number" aria-label="&quot;&lt;" hidden></td>'


def test_parts_may_be_nested_and_absent() -> None:
    assert joined("<", None, [element("b", "&"), [Markup("<i></i>")]]) == "&lt;<b>&amp;</b><i></i>"


def test_a_long_text_is_cut_with_a_sign() -> None:
    assert [len(cut(text, 80)) for text in HOSTILE] == [min(len(text), 80) for text in HOSTILE]
    assert cut("长" * 100, 5) == "长长长长…"
