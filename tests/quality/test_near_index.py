"""The index of near duplicates, against sets of Python and the laws that it promises."""

from __future__ import annotations

import errno
import hashlib
import io
import math
import random
import sys
import unicodedata
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmith.errors import DiskFull
from corpusmith.quality.bands import MOST_ALIKE, Bands
from corpusmith.quality.minhash import MISSED, MinHash, Shape, shape_for
from corpusmith.quality.near_index import Match, NearIndex
from corpusmith.quality.shingles import Shingler, fold, text_of
from corpusmith.quality.spool import Spool

ZH = "清晨的港口停着三艘渔船，老人坐在堤岸边修补渔网，海风把他的帽子吹到了石阶下面。"
EN = "In the morning three boats lay in the harbour, and an old man was mending nets on the wall."
SIGNS = [chr(0x4E00 + place) for place in range(0, 6_000, 3)]


def numbers(index: NearIndex, texts: Sequence[str]) -> list[int | None]:
    """The number of each text's match."""
    return [match and match.number for match in map(index.nearest, texts)]


def verdicts(index: NearIndex, texts: Sequence[str]) -> list[Match | None]:
    """What a running task finds: each text is looked for, then added."""
    found = []
    for text in texts:
        found.append(index.nearest(text))
        index.add(text)
    return found


def filled(*texts: str, threshold: float = 0.7, boilerplate: Sequence[str] = ()) -> NearIndex:
    index = NearIndex(threshold=threshold, boilerplate=boilerplate)
    for text in texts:
        index.add(text)
    return index


def grams(text: str) -> set[str]:
    """The same shingles, worked out in another way."""
    plain = text_of(fold(text))
    found = set()
    for place, sign in enumerate(plain):
        length = 3 if sign >= "\u2e80" else 5
        if place + length <= len(plain):
            found.add(plain[place : place + length])
    return found or {f"whole {plain}"}


def exact(one: str, other: str) -> float:
    return len(grams(one) & grams(other)) / len(grams(one) | grams(other))


def text_like(text: str, rate: float, rng: random.Random) -> str:
    return "".join(rng.choice(SIGNS) if rng.random() < rate else sign for sign in text)


# ---------------------------------------------------------------- folding


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("你好，世界。", "你好世界"),
        ("Ａ１：ﾃｽﾄ", "a1テスト"),
        ("STRASSE", "straße"),
        ("e\u0301te\u0301", "été"),
        ("a\u200bb\u00a0c\n", "abc"),
        ("——《论语》", "论语"),
        ("½ ℃ ™", "1⁄2°ctm"),
    ],
)
def test_case_width_blanks_and_punctuation_make_no_difference(one: str, other: str) -> None:
    assert text_of(fold(one)) == text_of(fold(other))


@pytest.mark.parametrize(
    ("one", "other"), [("a+b", "ab"), ("好😀", "好😁"), ("कि", "की"), ("?!", "?")]
)
def test_symbols_and_marks_make_one_and_punctuation_where_there_is_nothing_else(
    one: str, other: str
) -> None:
    assert text_of(fold(one)) != text_of(fold(other))


MIXED = st.text(st.one_of(st.characters(), st.sampled_from("aÅK\u0301\u3099\u1161가ｶﾞﬁßİ，。 字")))


@given(MIXED)
def test_folding_by_the_table_is_what_the_standard_says(text: str) -> None:
    twice = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(sign for sign in twice if unicodedata.category(sign)[0] in "LMNS")
    assert text_of(fold(text)) == (kept or "".join(twice.split()))


def test_what_may_join_the_character_before_it_is_never_folded_alone() -> None:
    seconds = set()
    for code in range(sys.maxunicode + 1):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            seconds.add(chr(int(parts[1], 16)))
    alone = {sign for sign in seconds if unicodedata.category(sign)[0] != "M"}
    assert {sign for sign in alone if not "\u1100" <= sign <= "\u11ff"} == set()


def test_half_a_surrogate_pair_is_a_character_like_any_other() -> None:
    index = filled("坏\ud800字符在这里面")
    assert index.nearest("坏\ud800字符在这里面") == Match(number=0, similarity=1.0)


# ---------------------------------------------------------------- shingles


def test_signs_are_taken_by_three_and_letters_by_five() -> None:
    keys = Shingler().shingles(fold("我用Python写诗"))
    # 我用p 用py pytho ython; thon写 hon写诗; 写诗 is too short
    assert keys.size == 6


def test_a_number_of_characters_that_is_given_counts_for_all_scripts() -> None:
    keys = Shingler(2).shingles(fold("我用Python"))
    assert keys.size == 7


# ---------------------------------------------------------------- matches


def test_a_text_matches_itself_and_a_changed_comma_changes_nothing() -> None:
    index = filled("别的一句话，说的是别的事情", ZH)
    assert index.nearest(ZH.replace("，", " ")) == Match(number=1, similarity=1.0)


@pytest.mark.parametrize("text", [ZH, EN])
def test_one_changed_word_is_a_near_duplicate_with_its_exact_similarity(text: str) -> None:
    changed = text.replace("三艘", "四艘").replace("three", "seven")
    assert filled(text).nearest(changed) == Match(number=0, similarity=exact(text, changed))


def test_another_text_is_none() -> None:
    assert filled(ZH, EN).nearest("如何用一句话介绍自己的家乡？") is None


def test_looking_changes_nothing() -> None:
    index = filled(ZH)
    index.nearest(EN)
    assert (len(index), index.nearest(EN)) == (1, None)


def test_the_most_similar_text_is_found_and_of_equals_the_earliest() -> None:
    near, nearer = ZH.replace("三艘", "四艘"), ZH.replace("石阶", "台阶")
    index = filled(near.replace("石阶下面", "台阶上面"), nearer, nearer + "！", near)
    assert exact(ZH, nearer) == exact(ZH, near)
    assert index.nearest(ZH) == Match(number=1, similarity=exact(ZH, nearer))


def test_a_prepared_text_is_worked_out_once() -> None:
    index = NearIndex()
    one = index.prepare(ZH)
    assert (index.nearest(one), index.add(one), index.nearest(one)) == (
        None,
        0,
        Match(number=0, similarity=1.0),
    )


@pytest.mark.parametrize(
    ("there", "text", "number"),
    [
        ("好", "好", 0),
        ("好", "好。", 0),
        ("好", "好的", None),
        ("ok", "OK!", 0),
        ("", "", 0),
        ("", " \n", 0),
        ("", "好", None),
        ("……", "……", 0),
        ("？", "！", None),
        ("你好", "你好世界", None),
    ],
)
def test_a_text_shorter_than_a_shingle_resembles_only_its_equals(
    there: str, text: str, number: int | None
) -> None:
    assert numbers(filled(there), [text]) == [number]


def test_a_threshold_of_one_takes_only_the_same_shingles() -> None:
    assert numbers(filled(ZH, threshold=1.0), [ZH, ZH + "了"]) == [0, None]


# ---------------------------------------------------------------- boilerplate

FRAME = "请你作为一位经验丰富的中学语文老师，用不超过三百字，向刚入学的同学回答下面的问题："
QUESTIONS = ["什么是比喻？", "文言文怎么断句？", "怎样写好开头？"]


def test_what_a_template_puts_into_every_text_does_not_make_them_alike() -> None:
    texts = [FRAME + question for question in QUESTIONS]
    assert [match is None for match in verdicts(NearIndex(), texts)] == [True, False, False]
    assert verdicts(NearIndex(boilerplate=[FRAME]), texts) == [None] * 3


def test_what_is_alike_beside_the_template_still_is() -> None:
    index = filled(FRAME + ZH, boilerplate=[FRAME])
    assert numbers(index, [ZH.replace("三艘", "四艘")]) == [0]


def test_a_text_of_nothing_but_boilerplate_is_compared_as_a_whole() -> None:
    index = filled(FRAME, boilerplate=[FRAME])
    assert numbers(index, [FRAME, FRAME + ZH, ZH]) == [0, None, None]


# ---------------------------------------------------------------- laws

PIECES = st.lists(
    st.sampled_from(["海风吹过堤岸", "老人在修渔网", "帽子落下来", "boats in the port", "3艘船"]),
    min_size=1,
    max_size=6,
).map("，".join)
TEXTS = st.lists(PIECES, min_size=1, max_size=12)


@settings(max_examples=40)
@given(TEXTS)
def test_every_match_is_right_and_exactly_as_similar_as_it_says(texts: list[str]) -> None:
    for number, match in enumerate(verdicts(NearIndex(), texts)):
        if match is not None:
            assert match.number < number
            assert match.similarity == exact(texts[number], texts[match.number]) >= 0.7


@settings(max_examples=40)
@given(TEXTS, st.integers(0, 12))
def test_matches_do_not_depend_on_the_batches_in_which_texts_came(
    texts: list[str], cut: int
) -> None:
    index = NearIndex()
    index.add_many(texts[:cut])
    index.add_many(texts[cut:])
    assert [index.nearest(text) for text in texts] == [filled(*texts).nearest(t) for t in texts]


@settings(max_examples=40)
@given(TEXTS, st.integers(0, 12))
def test_verdicts_do_not_depend_on_where_a_task_was_resumed(texts: list[str], cut: int) -> None:
    whole = verdicts(NearIndex(), texts)
    resumed = NearIndex()
    resumed.add_many(texts[:cut])
    assert verdicts(resumed, texts[cut:]) == whole[cut:]


@settings(max_examples=40)
@given(PIECES, PIECES, st.sampled_from([0.3, 0.5, 0.7, 0.9, 1.0]))
def test_two_texts_match_whichever_came_first(one: str, other: str, threshold: float) -> None:
    there = filled(one, threshold=threshold).nearest(other)
    back = filled(other, threshold=threshold).nearest(one)
    assert there == back


def test_many_texts_at_once_are_found_like_texts_one_by_one() -> None:
    rng = random.Random(5)
    texts = ["".join(rng.choices(SIGNS, k=40)) for _ in range(1_500)]
    texts += [text_like(rng.choice(texts), 0.05, rng) for _ in range(500)]
    index = NearIndex()
    index.add_many(texts)
    assert [index.nearest(text) for text in texts[::7]] == [
        match for match in map(filled(*texts).nearest, texts[::7])
    ]


def test_a_sketch_is_the_same_in_every_process_and_release() -> None:
    sketch = NearIndex().prepare(ZH + EN).sketch
    assert hashlib.sha256(sketch).hexdigest()[:16] == "359d4c8d60033cc1"


def test_stored_sketches_fill_an_index_of_the_same_kind() -> None:
    index, again = filled(ZH, EN, boilerplate=[FRAME]), NearIndex(boilerplate=[FRAME])
    assert again.kind == index.kind
    again.add_sketched((text, index.prepare(text).sketch) for text in (ZH, EN))
    assert numbers(again, [ZH, EN, FRAME]) == numbers(index, [ZH, EN, FRAME]) == [0, 1, None]


@pytest.mark.parametrize(
    "other", [NearIndex(), NearIndex(threshold=0.8), NearIndex(ngram=3)], ids=["0.7", "0.8", "3"]
)
def test_sketches_of_another_kind_are_known_by_it(other: NearIndex) -> None:
    assert other.kind != NearIndex(boilerplate=[FRAME]).kind


# ---------------------------------------------------------------- recall


@pytest.mark.parametrize("threshold", [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
def test_bands_miss_few_pairs_at_the_threshold(threshold: float) -> None:
    shape = shape_for(threshold)
    assert (1 - threshold**shape.rows) ** shape.bands <= MISSED


@pytest.mark.parametrize(("threshold", "rate"), [(0.5, 0.11), (0.7, 0.06), (0.9, 0.017)])
def test_of_pairs_just_above_the_threshold_99_in_100_are_found(
    threshold: float, rate: float
) -> None:
    rng = random.Random(11)
    index, pairs = NearIndex(threshold=threshold), []
    while len(pairs) < 600:
        text = "".join(rng.choices(SIGNS, k=120))
        like = text_like(text, rate, rng)
        if threshold <= exact(text, like) <= threshold + 0.08:
            pairs.append((text, like))
    index.add_many(text for text, _ in pairs)
    found = [match is not None for match in map(index.nearest, (like for _, like in pairs))]
    assert sum(found) >= 0.99 * len(pairs)


@pytest.mark.parametrize("size", [3, 40, 1_000])
def test_sketches_are_as_alike_as_their_sets(size: int) -> None:
    rng = np.random.default_rng(2)
    minhash, shares = MinHash(145), []
    for _ in range(200):
        keys = rng.integers(0, 1 << 63, 3 * size, np.uint64)
        one, other = minhash.sketches([keys[: 2 * size], keys[size:]])
        shares.append((one == other).mean())
    assert abs(float(np.mean(shares)) - 1 / 3) < 4 * math.sqrt(2 / 9 / 145 / 200) + 1 / 256


# ---------------------------------------------------------------- crowds


def test_ten_thousand_copies_cost_no_more_than_other_texts() -> None:
    index = NearIndex()
    index.add_many([EN, *[ZH] * 10_000])
    found = verdicts(index, [ZH] * 50)
    assert found == [Match(number=1, similarity=1.0)] * 50


def test_a_near_duplicate_is_found_among_thousands_that_are_half_alike() -> None:
    rng = random.Random(13)
    frame = "".join(rng.choices(SIGNS, k=60))
    texts = [frame + "".join(rng.choices(SIGNS, k=40)) for _ in range(3_000)]
    index = NearIndex()
    index.add_many(texts)
    chosen = rng.sample(range(3_000), 100)
    likes = [text_like(texts[number], 0.03, rng) for number in chosen]
    sure = [
        (n, like) for n, like in zip(chosen, likes, strict=True) if exact(like, texts[n]) >= 0.8
    ]
    found = sum(
        number == n
        for (n, _), number in zip(sure, numbers(index, [like for _, like in sure]), strict=True)
    )
    assert found >= 0.98 * len(sure)


# ---------------------------------------------------------------- the table

SHAPE = Shape(bands=4, rows=3)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 40), max_size=300), st.integers(0, 300))
def test_rows_are_found_by_any_band_they_share(values: list[int], cut: int) -> None:
    rng = np.random.default_rng(1)
    sketches = rng.integers(0, 2, (41, SHAPE.hashes), np.uint8)[values].reshape(-1, SHAPE.hashes)
    table = Bands(SHAPE)
    table.append(sketches[:cut].tobytes())
    for sketch in sketches[cut : cut + 100]:
        table.add(sketch.tobytes())
    for sketch in sketches[cut + 100 :]:
        table.append(sketch.tobytes())
    split = sketches.reshape(-1, SHAPE.bands, SHAPE.rows)
    for sketch in sketches[:10]:
        same = (split == sketch.reshape(SHAPE.bands, SHAPE.rows)).all(axis=2)
        same &= same.cumsum(axis=0) <= MOST_ALIKE
        wanted = (np.flatnonzero(same.any(axis=1)) + 1).tolist()
        assert table.find(sketch.tobytes()) == wanted


@pytest.mark.parametrize("expected", [0, 2_000, 5_000])
def test_a_table_that_has_grown_finds_all_that_it_found(expected: int) -> None:
    sketches = np.random.default_rng(4).integers(0, 256, (5_000, SHAPE.hashes), np.uint8)
    table = Bands(SHAPE, expected=expected)
    rows = [table.add(sketch.tobytes()) for sketch in sketches]
    assert all(
        row in table.find(sketch.tobytes()) for row, sketch in zip(rows, sketches, strict=True)
    )


def test_a_text_takes_less_than_600_bytes_of_memory() -> None:
    import tracemalloc

    shape = shape_for(0.7)
    sketches = np.random.default_rng(4).integers(0, 256, (100_000, shape.hashes), np.uint8)
    tracemalloc.start()
    try:
        table = Bands(shape)
        table.append(sketches.tobytes())
        table.find(bytes(shape.hashes))
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert used / len(table) < 600


# ---------------------------------------------------------------- the spool


def test_texts_are_read_back_from_memory_and_from_the_file() -> None:
    spool = Spool()
    texts = [f"{number}：{ZH}\ud800" for number in range(2_000)]
    spool.extend(texts[:1_500])
    spool.extend(texts[1_500:])
    assert [spool[number] for number in range(len(spool))] == texts
    spool.close()


class FullDisk(io.BytesIO):
    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_said_to_be_full() -> None:
    with pytest.raises(DiskFull) as raised:
        Spool(FullDisk()).extend([ZH] * 2_000)
    assert "临时文件夹" in raised.value.message("zh")
    assert raised.value.data["cause"] == "No space left on device"
