"""Chunks: nothing lost, none too long, sentences whole, the same every time."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from corpusmith.documents.document import Document, Heading
from corpusmith.documents.plain import read_markdown
from corpusmith.documents.split import By, Chunk, Unit, split
from corpusmith.tokens import tokens_of

MARKDOWN = """# 第一章 绪论

人工智能是一门学科。它研究让机器完成任务的方法。

## 1.1 背景

早期的研究始于二十世纪。那时机器很慢。

## 1.2 现状

如今应用很多。

# 第二章 方法

方法有三种。第一种是规则。
"""


def document(text: str, headings: tuple[Heading, ...] = ()) -> Document:
    return Document(title="t", source="t.txt", text=text, headings=headings)


def pieces(text: str, size: int, overlap: int = 0, unit: Unit = "characters") -> list[str]:
    return [one.text for one in split(document(text), size=size, overlap=overlap, unit=unit)]


def visible(text: str) -> str:
    return re.sub(r"\s", "", text)


# Characters that meet in real text: what cuts, what must not be cut, and blanks of every kind.
SIGNS = st.sampled_from(
    [
        *"中文字。！？；…，、：”’）“（\n \t\u3000aZ9.!?,;-*#",
        "\n\n",
        "e\u0301",
        "👨‍👩‍👧‍👦",
        "🇨🇳",
        "Mr. ",
        "3.14",
    ]
)
TEXTS = st.lists(SIGNS | st.characters(), max_size=300).map("".join)
UNITS = st.sampled_from(("characters", "tokens"))
LENGTH = {"characters": len, "tokens": tokens_of}


def with_headings(text: str) -> Document:
    return read_markdown(text, "t.md")


@given(TEXTS, st.integers(12, 80), UNITS, st.sampled_from(("recursive", "headings")))
def test_chunks_hold_all_visible_text_once_in_order(
    text: str, size: int, unit: Unit, by: By
) -> None:
    whole = with_headings(text)
    chunks = list(split(whole, size=size, unit=unit, by=by))
    assert visible("".join(one.text for one in chunks)) == visible(whole.text)
    assert all(before.end <= after.start for before, after in pairwise(chunks))


@example("中\r中", 2, 0, "characters", "recursive")
@given(
    TEXTS, st.integers(1, 80), st.integers(0, 79), UNITS, st.sampled_from(("recursive", "headings"))
)
def test_no_chunk_is_empty_or_too_long_or_has_blanks_around_it(
    text: str, size: int, overlap: int, unit: Unit, by: By
) -> None:
    if unit == "tokens":
        size += 1  # one emoji is two tokens
    whole = with_headings(text)
    chunks = list(split(whole, size=size, overlap=min(overlap, size - 1), unit=unit, by=by))
    assert [one.index for one in chunks] == list(range(len(chunks)))
    for one in chunks:
        assert one.text == whole.text[one.start : one.end] == one.text.strip() != ""
        assert LENGTH[unit](one.text) <= size


@given(TEXTS, st.integers(12, 80), st.integers(1, 60), UNITS)
def test_with_overlap_nothing_is_lost_and_no_more_than_that_repeated(
    text: str, size: int, overlap: int, unit: Unit
) -> None:
    whole = document(text)
    overlap = min(overlap, size - 1)
    chunks = list(split(whole, size=size, overlap=overlap, unit=unit))
    assert (
        visible(text) == ""
        or visible(chunks[0].text) == visible(text)[: len(visible(chunks[0].text))]
    )
    for before, after in pairwise(chunks):
        assert before.start < after.start
        assert before.end < after.end
        assert not text[before.end : after.start].strip()
        assert LENGTH[unit](text[after.start : before.end]) <= overlap
    if chunks:
        assert not text[chunks[-1].end :].strip()


SENTENCES = st.lists(st.integers(1, 18).map(lambda n: "字" * n + "。"), min_size=1, max_size=40)


@given(SENTENCES, st.integers(40, 90))
def test_a_sentence_that_fits_is_never_cut(sentences: list[str], size: int) -> None:
    for overlap in (0, 10, 20):
        for piece in pieces("".join(sentences), size, overlap):
            assert piece.endswith("。")


@given(SENTENCES, st.integers(60, 90))
def test_each_chunk_starts_within_the_one_before(sentences: list[str], size: int) -> None:
    text = "".join(sentences)
    chunks = list(split(document(text), size=size, overlap=20))
    for before, after in pairwise(chunks):
        assert before.start < after.start < before.end
        assert text[after.start - 1] == "。"


@given(TEXTS, st.integers(12, 80), st.integers(0, 11))
def test_the_same_text_gives_the_same_chunks(text: str, size: int, overlap: int) -> None:
    once = list(split(document(text), size=size, overlap=overlap))
    assert list(split(document(text), size=size, overlap=overlap)) == once


@given(st.lists(st.sampled_from(["e\u0301", "👨‍👩‍👧‍👦", "🇨🇳", "👍🏽", "字", "각"]), max_size=60))
def test_what_people_see_as_one_character_is_never_cut(signs: list[str]) -> None:
    for overlap in (0, 5):
        for piece in pieces("".join(signs), 13, overlap):
            rest = piece
            for sign in ("👨‍👩‍👧‍👦", "🇨🇳", "👍🏽", "e\u0301", "각", "字"):
                rest = rest.replace(sign, "")
            assert rest == ""


@pytest.mark.parametrize(
    ("text", "size", "wanted"),
    [
        (
            "第一句。第二句！第三句？第四句…第五句；",
            9,
            ["第一句。第二句！", "第三句？第四句…", "第五句；"],
        ),
        ("他说：“你好吗？”然后走了。", 12, ["他说：“你好吗？”", "然后走了。"]),
        ("Dr. Smith paid 3.50 in 2020. He left.", 30, ["Dr. Smith paid 3.50 in 2020.", "He left."]),
        ("Is it? Yes! See a.b?c=d now.", 12, ["Is it? Yes!", "See a.b?c=d", "now."]),
        (
            "长句没有句号，只有逗号，所以在逗号处断开，不断在字上",
            16,
            ["长句没有句号，只有逗号，", "所以在逗号处断开，不断在字上"],
        ),
        ("没有标点的Transformer模型", 10, ["没有标点的", "Transforme", "r模型"]),
        ("甲乙丙丁戊，己庚", 5, ["甲乙丙丁", "戊，己庚"]),
        (
            "第一段很短。\n\n第二段也短。\n\n第三段也是。",
            16,
            ["第一段很短。\n\n第二段也短。", "第三段也是。"],
        ),
        ("苹果\n香蕉\n橙子\n葡萄", 6, ["苹果\n香蕉", "橙子\n葡萄"]),
        ("一二三四五六七八", 3, ["一二三", "四五六", "七八"]),
        ("短。" + "长" * 12 + "。", 8, ["短。长长长长长长", "长长长长长长。"]),
        ("", 5, []),
        (" \n\t\u3000\n", 5, []),
    ],
)
def test_cuts_are_where_a_reader_would_make_them(text: str, size: int, wanted: list[str]) -> None:
    assert pieces(text, size) == wanted


def test_overlap_repeats_whole_sentences() -> None:
    text = "第一句话。第二句话。第三句话。第四句话。第五句话。"
    assert pieces(text, 15, 6) == [
        "第一句话。第二句话。第三句话。",
        "第三句话。第四句话。第五句话。",
    ]


def test_overlap_gives_way_to_a_sentence_that_would_be_cut() -> None:
    text = "一二三四五六七八九。甲乙丙丁戊己庚辛壬癸子丑。"
    assert pieces(text, 14, 10) == ["一二三四五六七八九。", "甲乙丙丁戊己庚辛壬癸子丑。"]


def test_an_overlap_smaller_than_a_sentence_starts_at_a_clause() -> None:
    text = "前半句话，后半句话。" * 3
    assert pieces(text, 16, 7)[1].startswith("后半句话。前半句话，")


def test_a_heading_stays_with_its_text() -> None:
    text = "前面的一段话有十五个字左右吧。\n\n# 标题\n\n正文第一句在这里。正文第二句。"
    chunks = list(split(read_markdown(text, "t.md"), size=24))
    assert [one.text for one in chunks] == [
        "前面的一段话有十五个字左右吧。",
        "# 标题\n\n正文第一句在这里。正文第二句。",
    ]


def test_sections_are_chunks_with_their_path() -> None:
    chunks = split(with_headings(MARKDOWN), size=40, by="headings")
    assert [(one.headings, one.text.splitlines()[0]) for one in chunks] == [
        (("第一章 绪论",), "# 第一章 绪论"),
        (("第一章 绪论", "1.1 背景"), "## 1.1 背景"),
        (("第一章 绪论", "1.2 现状"), "## 1.2 现状"),
        (("第二章 方法",), "# 第二章 方法"),
    ]


def test_sections_down_to_a_level_keep_deeper_ones_inside() -> None:
    chunks = list(split(with_headings(MARKDOWN), size=100, by="headings", level=1))
    assert [(one.headings, one.text.count("#")) for one in chunks] == [
        (("第一章 绪论",), 5),
        (("第二章 方法",), 1),
    ]


def test_a_long_section_is_cut_and_each_piece_keeps_the_path() -> None:
    text = "# 章\n\n## 节\n\n" + "这是一句正文。" * 20
    chunks = list(split(with_headings(text), size=50, by="headings"))
    assert [one.headings for one in chunks] == [("章",), *[("章", "节")] * (len(chunks) - 1)]
    assert chunks[0].text.startswith("# 章\n\n## 节\n\n这是一句正文。")


def test_tiny_sections_are_put_together_under_what_they_share() -> None:
    text = "# 章\n\n" + "\n\n".join(f"## 节{n}\n\n短。" for n in range(4))
    chunks = list(split(with_headings(text), size=60, by="headings"))
    assert chunks == [Chunk(text=text, index=0, headings=("章",), start=0, end=len(text))]


def test_tokens_measure_chunks_of_chinese_and_english_alike() -> None:
    chinese, english = "这是一个句子。" * 60, "This is one sentence. " * 60
    for text in (chinese, english):
        sizes = [tokens_of(piece) for piece in pieces(text, 100, unit="tokens")]
        assert max(sizes) <= 100
        assert min(sizes[:-1]) > 80


@pytest.mark.parametrize(("size", "overlap"), [(5, 5), (5, 6), (0, 0), (5, -1)])
def test_an_overlap_must_be_below_the_size(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="overlap"):
        list(split(document("text"), size=size, overlap=overlap))
