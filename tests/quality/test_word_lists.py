"""Lists of words: what a file may look like, and what is told of one that cannot be read."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

import pytest

from corpusmith.errors import SpecError
from corpusmith.messages import LANGUAGES
from corpusmith.presets.load import traditional, word_lists
from corpusmith.quality.word_lists import (
    MAX_BYTES,
    by_category,
    is_shipped,
    of_categories,
    shipped_names,
    words_of,
)

TEXT = """# 说明
敏感词

  前后有空格
[赌博]
下注
#不是词
[ drugs ]
buy meth
\u200b
"""
WORDS = {"mine": ["敏感词", "前后有空格"], "赌博": ["下注"], "drugs": ["buy meth"]}


def written(folder: Path, data: bytes) -> str:
    path = folder / "mine.txt"
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        TEXT.replace("\u200b", "").encode("gb18030"),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.rstrip().encode(),
    ],
    ids=["utf-8", "bom", "crlf", "cr", "gb18030", "utf-16-le", "utf-16-be", "no end"],
)
def test_a_list_is_read_in_the_encodings_that_people_have(tmp_path: Path, data: bytes) -> None:
    words = words_of(written(tmp_path, data))
    assert by_category(words) == WORDS
    assert of_categories(WORDS) == words


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "words_empty"),
        (b"# only a remark\n\n[category]\n", "words_empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "words_not_text"),
        (b"caf\xe9\n", "words_not_text"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8a", "words_not_text"),
        ("好" * 101 + "\n", "words_line_long"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_that_is_no_list_is_named(
    tmp_path: Path, data: bytes | str, code: str, language: Any
) -> None:
    file = written(tmp_path, data.encode() if isinstance(data, str) else data)
    with pytest.raises(SpecError) as caught:
        words_of(file)
    assert caught.value.reason == code
    assert file in caught.value.message(language)


def test_a_missing_file_is_told_with_the_shipped_lists(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        words_of(str(tmp_path / "nowhere.txt"))
    assert caught.value.reason == "words_unknown"
    assert "zh/gambling" in caught.value.message("en")


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_a_name_that_no_file_can_have_is_told_too(name: str) -> None:
    with pytest.raises(SpecError) as caught:
        words_of(name)
    assert caught.value.reason in {"words_unknown", "file_is_folder"}


def test_a_folder_and_a_huge_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        words_of(str(tmp_path))
    assert caught.value.reason == "file_is_folder"
    huge = tmp_path / "huge.txt"
    with huge.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(SpecError) as caught:
        words_of(str(huge))
    assert caught.value.reason == "file_too_large"


def test_shipped_lists_go_by_language_or_by_name() -> None:
    assert set(by_category(words_of("zh"))) == set(by_category(words_of("en")))
    assert words_of("zh/gambling") == [
        word for word in words_of("zh") if word.category == "gambling"
    ]
    assert is_shipped("zh") and is_shipped("en/drugs") and not is_shipped("./zh")


def test_shipped_lists_hold_some_dozens_of_words_once_and_say_that_they_are_a_start() -> None:
    for language in LANGUAGES:
        words = [word.text for word in words_of(language)]
        assert 100 <= len(words) == len(set(words)) <= 300
    assert shipped_names()[:2] == ("en", "zh")
    for data in word_lists().values():
        head = data.decode().split("\n\n")[0]
        assert all(line.startswith("#") for line in head.splitlines())
        assert "只是起点" in head or "This is a start" in head


def test_the_table_of_traditional_characters_is_one_to_one_and_ends() -> None:
    table = traditional()
    assert len(table) > 2800
    assert (table["萬"], table["體"], table["乾"], table["妳"]) == ("万", "体", "干", "你")
    assert not set(table) & set(table.values())


def test_a_device_without_an_end_is_too_large() -> None:
    with pytest.raises(SpecError) as caught:
        words_of("/dev/zero")
    assert caught.value.reason == "file_too_large"
