"""All at once finds what one by one finds."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmith.quality.near_index import NearIndex, jaccard
from corpusmith.quality.near_pairs import NearPairs, Pair
from corpusmith.quality.shingles import Keys, Shingler, distinct, fold

LETTERS = "今天天气很好我们去公园走走吧然后回家吃饭abcdefgh"


def pairs_of(texts: list[str], threshold: float = 0.7, **options: list[str]) -> list[Pair]:
    found = NearPairs(threshold=threshold, **options)
    for text in texts:
        found.add(fold(text))
    made = list(found.found().pairs)
    found.close()
    return made


def one_by_one(texts: list[str], threshold: float = 0.7) -> set[int]:
    index = NearIndex(threshold=threshold)
    repeats = set()
    for number, text in enumerate(texts):
        if index.nearest(text) is not None:
            repeats.add(number)
        index.add(text)
    index.close()
    return repeats


def some_texts(seed: int, count: int) -> list[str]:
    """Half of them are changed copies of others, by more or less."""
    rng = random.Random(seed)
    signs = [chr(0x4E00 + place) for place in range(3_000)]
    texts: list[str] = []
    for _ in range(count):
        if texts and rng.random() < 0.5:
            text = list(rng.choice(texts))
            for _ in range(rng.choice((0, 1, 4, 12, 30))):
                text[rng.randrange(len(text))] = rng.choice(signs)
        else:
            text = rng.choices(signs, k=rng.randrange(60, 200))
        texts.append("".join(text))
    return texts


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9])
def test_all_at_once_finds_what_one_by_one_finds(threshold: float) -> None:
    texts = some_texts(1, 1_200)
    ours = {one.number for one in pairs_of(texts, threshold)}
    theirs = one_by_one(texts, threshold)
    # Either may miss a pair that is just alike enough: one in two hundred.
    assert len(ours ^ theirs) <= len(theirs) * 0.01
    assert len(theirs) > 200


def test_every_pair_is_as_alike_as_it_says() -> None:
    texts = some_texts(2, 600)
    shingler = Shingler()
    sets = [distinct(shingler.shingles(fold(text))) for text in texts]
    found = pairs_of(texts)
    assert found == sorted(found, key=lambda one: one.number)
    for one in found:
        assert one.earlier < one.number
        assert one.similarity == jaccard(sets[one.number], sets[one.earlier]) >= 0.7


@settings(max_examples=50)
@given(st.lists(st.text(LETTERS, max_size=30), max_size=20))
def test_any_texts_have_pairs_that_are_sound(texts: list[str]) -> None:
    found = pairs_of(texts)
    assert len({one.number for one in found}) == len(found)
    assert {one.number for one in found} <= set(range(len(texts)))


def test_thousands_of_copies_are_found_at_once() -> None:
    text = some_texts(3, 1)[0]
    found = pairs_of([text[:-1] + sign for sign in LETTERS * 100])
    assert len(found) == len(LETTERS) * 100 - 1
    assert {one.earlier for one in found} <= set(range(24))


def crowd(count: int, changes: int) -> list[str]:
    """One text, each time with other characters in it, so that all are as alike as all others."""
    rng = random.Random(count)
    signs = [chr(0x4E00 + place) for place in range(3_000)]
    model = rng.choices(signs, k=120)
    texts = []
    for _ in range(count):
        text = list(model)
        for _ in range(changes):
            text[rng.randrange(len(text))] = rng.choice(signs)
        texts.append("".join(text))
    return texts


def test_in_a_crowd_each_text_is_compared_with_few(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []

    def counted(one: Keys, other: Keys) -> float:
        compared.append(1)
        return jaccard(one, other)

    monkeypatch.setattr("corpusmith.quality.near_pairs.jaccard", counted)
    texts = crowd(1_500, 7)
    index = NearPairs()
    for text in texts:
        index.add(fold(text))
    found = index.found()
    index.close()
    assert len(compared) <= 8 * len(texts)
    # Hardly one is alike enough, most are rather alike: that not all were compared is told.
    assert len(found.pairs) < 100
    assert len(texts) / 2 < found.crowded <= len(texts) - len(found.pairs)


def test_few_texts_are_no_crowd() -> None:
    index = NearPairs()
    for text in crowd(24, 7):
        index.add(fold(text))
    assert index.found().crowded == 0
    index.close()


def test_what_a_template_gives_is_left_out() -> None:
    given = "请根据以下要求写一段话，语气自然，不要重复，最后给出一个简短的总结与建议。"
    texts = [given + own for own in ("天晴了出门走走看看", "厨房里面炖着一锅汤")]
    assert [one.number for one in pairs_of(texts, 0.5)] == [1]
    assert pairs_of(texts, 0.5, boilerplate=[given]) == []


def test_nothing_has_no_pairs() -> None:
    assert pairs_of([]) == []
    assert pairs_of(["一"]) == []
