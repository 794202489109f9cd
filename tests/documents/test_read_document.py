"""Documents of every kind: their text, their headings, and clear words for those that are none."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import document_kit as kit
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from corpusmith.documents.decode import decoded
from corpusmith.documents.document import Document
from corpusmith.documents.read import SUFFIXES, read_document
from corpusmith.errors import UsageError
from corpusmith.messages import LANGUAGES, catalog

CHINESE = "人工智能是研究如何让机器完成任务的学科。\n它的历史不长，但是发展很快。"


def read(folder: Path, name: str, data: str | bytes, encoding: str | None = None) -> Document:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_document(path, encoding=encoding)


def refused(folder: Path, name: str, data: bytes, encoding: str | None = None) -> str:
    """The code of the error, which names the file in both languages."""
    with pytest.raises(UsageError) as caught:
        read(folder, name, data, encoding)
    for language in LANGUAGES:
        assert f"error.{caught.value.reason}" in catalog(language)
        assert name in caught.value.message(language)
    return caught.value.reason


def headings(document: Document) -> list[tuple[int, str]]:
    for one in document.headings:
        assert one.text.split()[0] in document.text[one.start : one.end]
    return [(one.level, one.text) for one in document.headings]


# ---------------------------------------------------------------- text


@pytest.mark.parametrize(
    "data",
    [
        CHINESE.encode(),
        CHINESE.encode("utf-8-sig"),
        CHINESE.encode("utf-16"),
        b"\xfe\xff" + CHINESE.encode("utf-16-be"),
        CHINESE.encode("utf-16-le"),
        CHINESE.encode("utf-16-be"),
        CHINESE.encode("utf-32"),
        CHINESE.encode("gb18030"),
        CHINESE.replace("\n", "\r\n").encode("gbk"),
        CHINESE.replace("\n", "\r").encode(),
    ],
)
def test_a_text_is_read_in_the_encodings_that_chinese_files_have(
    data: bytes, tmp_path: Path
) -> None:
    assert read(tmp_path, "文.txt", data) == Document(title="文", source="文.txt", text=CHINESE)


FOREIGN = {
    "big5": "這是一個測試文件，說明繁體中文的編碼方式。我們希望程式能夠分辨它，而不是亂猜。",
    "shift_jis": "これは日本語のテキストです。判定を確認するために書かれています。",
    "euc_kr": "대한민국은 동아시아의 한반도 남부에 위치한 공화국이다. " * 5,
    "cp1251": "Это русский текст, написанный для проверки кодировки.",
    "cp1252": "Voici un texte français écrit à la main: élève, garçon, été, où, naïve.",
}


@pytest.mark.parametrize("encoding", FOREIGN)
def test_another_encoding_is_asked_for_and_not_guessed(encoding: str, tmp_path: Path) -> None:
    data = FOREIGN[encoding].encode(encoding)
    assert refused(tmp_path, "a.txt", data) == "document_encoding"
    assert read(tmp_path, "a.txt", data, encoding).text == FOREIGN[encoding]


@pytest.mark.parametrize(
    ("encoding", "reason"),
    [("ascii", "document_not_encoding"), ("klingon", "document_unknown_encoding")],
)
def test_an_encoding_that_does_not_fit_is_named(encoding: str, reason: str, tmp_path: Path) -> None:
    assert refused(tmp_path, "a.txt", CHINESE.encode(), encoding) == reason


@given(st.binary(max_size=200))
@example(b"\xfe\xff\x00")
def test_any_bytes_are_text_or_a_clear_error(data: bytes) -> None:
    try:
        assert isinstance(decoded(data, "a.txt"), str)
    except UsageError as error:
        assert error.reason == "document_encoding"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\ufeff")))
def test_utf_8_is_always_read_as_such(text: str) -> None:
    assert decoded(text.encode(), "a.txt") == text


def test_the_chapters_of_a_plain_text_are_its_headings(tmp_path: Path) -> None:
    text = (
        "第一卷 少年\n\n第1章 初见\n正文。第二章讲的是别的事情，这里不是标题。\n"
        "　　第二章　再会\n第三章的内容是什么？\nChapter 3 The End\nbook"
    )
    found = read(tmp_path, "novel.txt", text)
    assert found.text == text
    assert headings(found) == [
        (1, "第一卷 少年"),
        (2, "第1章 初见"),
        (2, "第二章 再会"),
        (2, "Chapter 3 The End"),
    ]


# ---------------------------------------------------------------- Markdown


def test_markdown_keeps_its_text_and_has_its_headings(tmp_path: Path) -> None:
    text = (
        "# 标题 #\n\n正文\n\n副标题\n===\n\nSecond\n---\n\n```python\n# no heading\n```\n\n"
        "### 三级 ###\n\n- item\n---\n\n#no\n#\n    # code\n"
    )
    found = read(tmp_path, "a.md", text)
    assert (found.title, found.text) == ("标题", text)
    assert headings(found) == [(1, "标题"), (1, "副标题"), (2, "Second"), (3, "三级")]


def test_front_matter_gives_the_title_and_is_no_text(tmp_path: Path) -> None:
    found = read(tmp_path, "a.md", '---\ntitle: "书名"\ntags: [a]\n---\n\n# 章\n\n文')
    assert (found.title, found.text, headings(found)) == ("书名", "# 章\n\n文", [(1, "章")])


def test_an_open_fence_hides_headings_to_the_end(tmp_path: Path) -> None:
    assert headings(read(tmp_path, "a.md", "# a\n~~~\n# b\n```\n# c")) == [(1, "a")]


# ---------------------------------------------------------------- HTML

PAGE = """<!doctype html><html><head><title>网页 &amp; 标题</title><style>p{}</style>
<script>var x = "no";</script></head><body><nav><a href="/">首页</a></nav>
<main><h1>第一 <em>章</em></h1><p>甲&nbsp;乙 &lt;tag&gt;<br>第二行
这里换行</p><p>unclosed<ul><li>one<li>two</ul>
<h2>表</h2><table><tr><th>名</th><th>值</th></tr><tr><td>a</td><td></td><td>1</td></tr></table>
<pre>  x = 1
    y</pre><p hidden>secret</p><img src="http://203.0.113.1/x.png" alt="no"></main>
<footer>版权</footer></body></html>"""


def test_a_page_gives_the_text_that_people_read(tmp_path: Path) -> None:
    found = read(tmp_path, "a.html", PAGE)
    assert found.title == "网页 & 标题"
    assert found.text == (
        "第一 章\n\n甲 乙 <tag>\n第二行这里换行\n\nunclosed\n\n- one\n- two\n\n表\n\n"
        "名 | 值\na | | 1\n\n  x = 1\n    y"
    )
    assert headings(found) == [(1, "第一 章"), (2, "表")]


@pytest.mark.parametrize("declared", ["gb2312", "GBK", "gb18030"])
def test_a_page_is_read_in_the_encoding_it_declares(declared: str, tmp_path: Path) -> None:
    page = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}"><p>镕基</p>'
    assert read(tmp_path, "a.htm", page.encode("gb18030")).text == "镕基"
    assert read(tmp_path, "a.htm", page.encode()).text == "镕基"


def test_a_page_may_be_nested_deeper_than_the_stack(tmp_path: Path) -> None:
    assert read(tmp_path, "a.html", "<div>" * 5_000 + "深").text == "深"


# ---------------------------------------------------------------- Word


def test_a_word_file_gives_paragraphs_headings_lists_and_tables_in_order(tmp_path: Path) -> None:
    document = kit.word()
    document.core_properties.title = "报告"
    document.add_heading("第一章", level=1)
    document.add_paragraph("第一段。").add_run("接着。")
    document.add_paragraph("甲", style="List Bullet")
    document.add_paragraph("乙", style="List Number")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ["名", "值", "a", "1\n2"], strict=True):
        cell.text = text
    document.add_heading("1.1", level=2)
    kit.outlined(document.add_paragraph("自定标题"), 2)
    document.add_paragraph("尾段")
    found = read(tmp_path, "a.docx", kit.saved(document))
    assert found.title == "报告"
    assert found.text == (
        "第一章\n\n第一段。接着。\n\n- 甲\n- 乙\n\n名 | 值\na | 1 2\n\n1.1\n\n自定标题\n\n尾段"
    )
    assert headings(found) == [(1, "第一章"), (2, "1.1"), (3, "自定标题")]


def test_tracked_changes_and_content_controls_are_read_as_shown(tmp_path: Path) -> None:
    document = kit.word()
    paragraph = document.add_paragraph("原文")
    kit.inserted(paragraph, "新增")
    kit.deleted(paragraph, "删去")
    kit.in_control(document, document.add_paragraph("控件里的字"))
    found = read(tmp_path, "a.docx", kit.saved(document))
    assert found.text == "原文新增\n\n控件里的字"


def test_merged_cells_stand_once(tmp_path: Path) -> None:
    document = kit.word()
    table = document.add_table(rows=1, cols=3)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "合并"
    table.cell(0, 2).text = "旁"
    assert read(tmp_path, "a.docx", kit.saved(document)).text == "合并 | 旁"


def zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name, data)
    return out.getvalue()


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(tmp_path: Path) -> None:
    bomb = zipped({"word/document.xml": b" " * (65 << 20)})
    assert len(bomb) < 100_000
    assert refused(tmp_path, "a.docx", bomb) == "document_unpacks_large"


def test_an_entity_is_never_expanded(tmp_path: Path) -> None:
    document = kit.word()
    document.add_paragraph("文")
    parts = {}
    with zipfile.ZipFile(io.BytesIO(kit.saved(document))) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    xml = parts["word/document.xml"].decode()
    hostile = '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    head, _, rest = xml.partition("?>")
    parts["word/document.xml"] = f"{head}?>{hostile}{rest.replace('文', '文&e;')}".encode()
    assert read(tmp_path, "a.docx", zipped(parts)).text == "文"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no zip at all", "document_broken"),
        (b"PK\x03\x04 cut", "document_broken"),
        (zipped({"a.txt": b"x"}), "document_broken"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "document_old_word"),
        (kit.saved(kit.word()), "document_empty"),
    ],
)
def test_a_file_that_is_no_word_document_is_named(data: bytes, reason: str, tmp_path: Path) -> None:
    assert refused(tmp_path, "坏.docx", data) == reason


# ---------------------------------------------------------------- PDF

LINES = [
    "一、概述",
    "人工智能是研究如何让机器完成通常需要人类智能才能完成的任务的学",
    "科。它的历史不长。",
    "它有很多分支。",
]


def test_a_pdf_gives_paragraphs_whole_again(tmp_path: Path) -> None:
    found = read(tmp_path, "a.pdf", kit.pdf([LINES]))
    assert found == Document(
        title="a",
        source="a.pdf",
        text="一、概述\n\n人工智能是研究如何让机器完成通常需要人类智能才能完成的任务的学科。它的历史不长。"
        "\n\n它有很多分支。",
    )


def test_words_that_were_parted_at_the_end_of_a_line_are_whole_again(tmp_path: Path) -> None:
    lines = ["A learner asks the expert a ques-", "tion about lighting and the ex-", "pert tells."]
    found = read(tmp_path, "a.pdf", kit.pdf([lines]))
    assert found.text == "A learner asks the expert a question about lighting and the expert tells."


def test_running_heads_and_page_numbers_are_no_text(tmp_path: Path) -> None:
    texts = ["甲的内容在这里。", "乙的内容在这里。", "丙的内容在这里。"]
    pages = [["某某手册 2024", text, f"第 {n} 页"] for n, text in enumerate(texts, 1)]
    assert read(tmp_path, "a.pdf", kit.pdf(pages)).text == "\n\n".join(texts)


def bookmarked(data: bytes, marks: list[tuple[str, int, int | None]]) -> bytes:
    """The PDF with an outline: (title, page, number of the entry above or None)."""
    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    made: list[Any] = []
    for title, page, above in marks:
        parent = None if above is None else made[above]
        made.append(writer.add_outline_item(title=title, page_number=page, parent=parent))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_the_outline_of_a_pdf_gives_its_headings(tmp_path: Path) -> None:
    pages = [["前言", "前言的正文。"], ["第一章 开始", "正文。", "1.1 小节", "小节正文。"]]
    marks = [
        ("前言", 0, None),
        ("第一章  开始", 1, None),
        ("1.1 小节", 1, 1),
        ("不在页上", 1, None),
    ]
    found = read(tmp_path, "a.pdf", bookmarked(kit.pdf(pages), marks))
    assert headings(found) == [(1, "前言"), (1, "不在页上"), (1, "第一章 开始"), (2, "1.1 小节")]
    assert found.text.endswith("第一章 开始\n\n正文。\n\n1.1 小节\n\n小节正文。")


def encrypted(password: str) -> bytes:
    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(kit.pdf([LINES])))
    writer.encrypt(password, "owner", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_a_pdf_that_needs_a_password_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path, "a.pdf", encrypted("secret")) == "document_encrypted"


def test_a_pdf_that_only_its_owner_may_change_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, "a.pdf", encrypted("")).text.startswith("一、概述")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "document_broken"),
        (b"no pdf", "document_broken"),
        (kit.pdf([LINES])[:200], "document_broken"),
        (kit.pdf([[]]), "document_only_pictures"),
        (kit.pdf([]), "document_empty"),
    ],
)
def test_a_pdf_without_text_says_why(data: bytes, reason: str, tmp_path: Path) -> None:
    assert refused(tmp_path, "扫描.pdf", data) == reason


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=30))
def test_a_damaged_file_is_read_or_named_and_nothing_else(at: int, damage: bytes) -> None:
    folder = Path(TEMPORARY)
    for name, whole in (("a.pdf", PDF), ("a.docx", DOCX)):
        place = at % len(whole)
        data = whole[:place] + damage + whole[place + len(damage) :]
        try:
            assert read(folder, name, data).text
        except UsageError as error:
            assert error.reason.startswith("document_")


PDF = kit.pdf([LINES, LINES])
_document = kit.word()
_document.add_heading("章", level=1)
_document.add_paragraph("文。")
DOCX = kit.saved(_document)
TEMPORARY = ""


@pytest.fixture(autouse=True, scope="module")
def _temporary(tmp_path_factory: pytest.TempPathFactory) -> None:
    global TEMPORARY
    TEMPORARY = str(tmp_path_factory.mktemp("damaged"))


def test_an_odd_pdf_says_nothing_on_standard_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        read(tmp_path, "a.pdf", PDF.replace(b"startxref\n", b"startxref\n9"))
    assert caplog.records == []


# ---------------------------------------------------------------- any kind


@pytest.mark.parametrize("suffix", [one for one in SUFFIXES if one not in (".docx", ".pdf")])
def test_a_document_without_text_is_named(suffix: str, tmp_path: Path) -> None:
    assert refused(tmp_path, f"空{suffix}", b" \n\t\n") == "document_empty"


def test_a_file_of_another_kind_names_the_known_ones(tmp_path: Path) -> None:
    assert refused(tmp_path, "a.xlsx", b"x") == "document_unknown_suffix"


def test_a_suffix_may_be_in_capitals(tmp_path: Path) -> None:
    assert read(tmp_path, "A.TXT", "文").title == "A"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_document(tmp_path / "no.txt")
    assert caught.value.reason == "document_unreadable"


def test_a_folder_is_no_document(tmp_path: Path) -> None:
    (tmp_path / "a.md").mkdir()
    with pytest.raises(UsageError) as caught:
        read_document(tmp_path / "a.md")
    assert caught.value.reason == "document_is_folder"


def test_a_file_that_is_too_large_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(UsageError) as caught:
        read_document(path)
    assert caught.value.reason == "document_too_large"


@pytest.mark.parametrize(
    ("name", "module"), [("a.pdf", "pypdf"), ("a.docx", "docx"), ("a.html", "selectolax")]
)
def test_a_missing_library_names_the_extra(name: str, module: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes({"a.pdf": PDF, "a.docx": DOCX, "a.html": b"<p>a"}[name])
    code = (
        "import sys\n"
        f"sys.modules[{module!r}] = None\n"
        "from corpusmith.documents.read import read_document\n"
        "try: read_document(sys.argv[1])\n"
        "except Exception as error: print(error)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / name)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "pip install 'corpusmith[documents]'" in said
    assert name in said


def test_text_and_markdown_need_no_library(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# 章\n\n文", "utf-8")
    code = (
        "import sys\n"
        "from corpusmith.documents.read import read_document\n"
        "from corpusmith.documents.split import split\n"
        "list(split(read_document(sys.argv[1]), size=9))\n"
        "print(sorted({'pypdf', 'docx', 'selectolax', 'lxml'} & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.md")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
