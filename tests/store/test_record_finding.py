"""Finding records: words, filters, orders, counts and facets, against plain Python."""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, select, text
from store_rows import new_task, write

from corpusmith.contracts import Quota, Save
from corpusmith.errors import Conflict, NotFound, UsageError
from corpusmith.nouns import Dataset
from corpusmith.store import kept
from corpusmith.store.codec import from_json
from corpusmith.store.lease import owner_id
from corpusmith.store.open import make_schema, parse_url
from corpusmith.store.record_kinds import Kind, kinds_of, models_text
from corpusmith.store.record_text import _state, _texts
from corpusmith.store.record_walk import ORDERS, RecordOrder
from corpusmith.store.review_values import Change
from corpusmith.store.schema import records, removed
from corpusmith.store.store import SqlStore
from corpusmith.store.text_words import length_of, query_of
from corpusmith.values import Draft, Item, Outcome, Record, Selection, Verdict

SET = "语料"
ALL = Selection(dataset=SET)
FLAG = Verdict(passed=True, reason="sensitive_word")


def filled(store: SqlStore, contents: Iterable[Any], dataset: str = SET) -> list[int]:
    """A record of each content in a dataset, named, scored and tagged by its place."""
    with contextlib.suppress(Conflict):
        store.datasets.add(Dataset(name=dataset, description="", language="zh"))
    drafts = [
        Draft(
            content=content,
            labels={"scenario": f"s{place % 3}", "character": f"c{place % 2}"},
            provenance={"models": [f"m{place % 4}", "all"]},
            verdicts={"sensitive": FLAG} if place % 5 == 0 else {},
        )
        for place, content in enumerate(contents)
    ]
    task = new_task(store, (Quota(name="日常", count=len(drafts)),))
    lease = store.acquire(task.id, owner_id(), 60, 0.0)
    saves = [
        Save(
            task_id=task.id,
            fence=lease.fence,
            outcome=Outcome(
                item=Item(task_seed=7, category="日常", ordinal=ordinal), drafts=(draft,)
            ),
            accepted=(draft,),
            misses=(),
        )
        # The dataset's own order is not that of the numbers.
        for ordinal, draft in reversed(list(enumerate(drafts)))
    ]
    assert set(write(store, *saves)) <= {None}
    store.release(lease, "finished", None)
    store.records.commit(task.id, dataset)
    return [record.id for record in store.records.iterate(task_id=task.id)]


# ---------------------------------------------------------------- words


def said(text: str) -> str:
    """A text as blanks between its words: written otherwise than the code that is tested."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    chars = [
        f" {one} " if "CJK UNIFIED" in unicodedata.name(one, "") else one if one.isalnum() else " "
        for one in folded
    ]
    return " " + " ".join("".join(chars).split()) + " "


def texts(content: Any) -> list[str]:
    if isinstance(content, str):
        return [content]
    inner = content.values() if isinstance(content, dict) else content
    return [text for one in inner for text in texts(one)] if not isinstance(content, int) else []


def holds(content: Any, query: str) -> bool:
    """What a search is to find, in plain Python."""
    parts = re.findall(r'"([^"]*)"?|([^\s"]+)', query)
    wanted = []
    for quoted, word in parts:
        phrase = said(quoted or word)
        if not phrase.strip():
            continue
        last = phrase.split()[-1]
        chinese = "CJK UNIFIED" in unicodedata.name(last[0], "")
        wanted.append(phrase if quoted or chinese else phrase.rstrip())
    return bool(wanted) and all(
        any(phrase in said(text) for text in texts(content)) for phrase in wanted
    )


LETTERS = "天气好学习人工智能在的 ，。ab cAＢ1-\n"
TEXT = st.text(LETTERS, max_size=12)
CONTENT = st.fixed_dictionaries({"a": TEXT, "b": st.lists(TEXT, max_size=2)})
QUERY = st.one_of(
    st.text(LETTERS, min_size=1, max_size=5),
    st.builds('"{}"'.format, st.text(LETTERS, min_size=1, max_size=5)),
    st.builds("{} {}".format, st.text(LETTERS, min_size=1, max_size=3), st.sampled_from("天的abc")),
)
STEP = st.tuples(st.sampled_from(["edit", "take", "back", "delete", "new", "index"]), CONTENT)


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(CONTENT, min_size=1, max_size=6),
    st.lists(st.tuples(STEP, st.integers(0, 5)), max_size=8),
    st.lists(QUERY, min_size=1, max_size=6),
)
def test_a_search_finds_what_plain_python_finds(
    store: SqlStore,
    contents: list[Any],
    steps: list[tuple[tuple[str, Any], int]],
    queries: list[str],
) -> None:
    dataset = f"d{len(store.datasets.list(limit=None))}"
    filled(store, contents, dataset)
    for (act, content), place in steps:
        there = list(store.records.iterate(dataset=dataset))
        one = there[place % len(there)] if there else None
        if act == "new":
            filled(store, [content], dataset)
        elif act == "index":
            store.record_text.index(2)
        elif act == "back":
            undone = [x for x in store.removals.list(dataset) if x.undone_at is None]
            for removal in undone[:1]:
                store.removals.restore(removal.number)
        elif one is not None:
            if act == "edit":
                store.versions.edit(one.id, content, "甲")
            elif act == "take":
                store.removals.remove(dataset, [one.id], reason="test")
            else:
                store.records.delete([one.id])
    for query in queries:
        there = list(store.records.iterate(dataset=dataset))
        expected = [one.id for one in there if holds(one.content, query)]
        wanted = Selection(dataset=dataset, text=query)
        assert list(store.record_pages.page(wanted, limit=500).ids) == expected, query
        assert store.record_pages.count(wanted).count == len(expected)
        assert [one.id for one in store.records.iterate(wanted)] == expected


def test_what_was_edited_away_and_undone_where_it_lies_is_found_again(store: SqlStore) -> None:
    (one,) = filled(store, [{"a": "天气"}])
    store.record_text.catch_up()
    store.versions.edit(one, {"a": "学习"}, "甲")
    store.record_text.catch_up()
    number = store.removals.remove(SET, [one], reason="test").number
    store.review_undo.undo("甲")
    store.removals.restore(number)
    assert found(store, "天气") == [one]
    assert found(store, "学习") == []


def found(store: SqlStore, text: str, **fields: Any) -> list[int]:
    return list(store.record_pages.page(replace(ALL, text=text, **fields)).ids)


@pytest.mark.parametrize(
    "text",
    [
        *('"', '""', "'", "\\", "*", "^", ":", "-", "(", "NEAR(a b)", "a AND", "OR", "NOT a"),
        *("a:b", "terms:a", "{a}", "\0", "a\0b", "%", "_", "，。！", "😀", "a'b", "'; DROP", "&|!"),
        *("天" * 10_000, "ab " * 4_000, '"' * 999, "x" * 10_000, "\ud800", "_many", ""),
    ],
)
def test_no_query_is_an_error(store: SqlStore, text: str) -> None:
    filled(store, [{"a": "天气 ab"}])
    assert len(found(store, text)) <= 1
    assert store.records.count(ALL, text=text) <= 1


def test_common_and_rare_words_are_found_in_any_order_and_page(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = filled(store, [{"a": f"的 {'稀' if n % 4 == 0 else '常'} w{n}"} for n in range(24)])
    monkeypatch.setattr("corpusmith.store.record_walk.FEW", 5)
    monkeypatch.setattr("corpusmith.store.record_walk._STRETCHES", (3, 4))
    contents = {one.id: one.content for one in store.records.iterate(ALL)}
    for order in ORDERS:
        whole = list(store.record_pages.page(ALL, order=order, limit=100).ids)
        for words in ("的", "常", "稀", "的 稀", "w1"):
            wanted = replace(ALL, text=words)
            expected = [one for one in whole if holds(contents[one], words)]
            assert walked(store, wanted, order, 3) == expected, (order, words)
            assert backwards(store, wanted, order, 4) == expected[:-1][::-1], (order, words)
    assert found(store, "w23") == [ids[23]]


def test_counting_what_holds_words_ends_when_it_takes_long(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store, [{"a": "的 x 的 y" if n % 2 else "的 y 的 x"} for n in range(40)])
    phrase = replace(ALL, text='"的 x 的"')
    monkeypatch.setattr("corpusmith.store.kept.DEAR_S", 60)
    counted = store.record_pages.count
    assert (counted(phrase).count, counted(phrase).more) == (20, False)
    monkeypatch.setattr("corpusmith.store.record_walk.COUNTING_S", 0)
    # Few: their contents are at hand at once, and so is the end.
    assert (counted(phrase).count, counted(phrase).more) == (20, False)
    monkeypatch.setattr("corpusmith.store.record_walk._LOOKED_AT", 5)
    least = counted(phrase)
    assert 0 < least.count < 20 and least.more
    monkeypatch.setattr("corpusmith.store.record_walk.FEW", 5)
    monkeypatch.setattr("corpusmith.store.record_walk._STRETCHES", (10,))
    least = counted(replace(ALL, text="x"))
    assert 0 < least.count < 40 and least.more
    assert counted(ALL).count == 40


def test_a_page_of_all_there_is_has_counted_them(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store, [{"a": "的"} for _ in range(12)])
    monkeypatch.setattr("corpusmith.store.kept.DEAR_S", 0)
    few, all_ = replace(ALL, scenario="s0"), ALL
    assert len(store.record_pages.page(few, limit=4, order="newest").ids) == 4
    assert len(store.record_pages.page(all_, limit=4).ids) == 4
    walks: list[int] = []
    walk = store.record_pages._count

    def seen(selection: Selection, most: int, missing: int) -> Any:
        walks.append(missing)
        return walk(selection, most, missing)

    monkeypatch.setattr(store.record_pages, "_count", seen)
    assert (store.record_pages.count(few).count, len(walks)) == (4, 0)
    assert (store.record_pages.count(all_).count, len(walks)) == (12, 1)


def walked(store: SqlStore, wanted: Selection, order: RecordOrder, size: int) -> list[int]:
    """All pages, onwards."""
    ids: list[int] = []
    after = None
    while True:
        page = store.record_pages.page(wanted, order=order, limit=size, after=after)
        ids += page.ids
        if page.after is None:
            return ids
        after = page.after


def backwards(store: SqlStore, wanted: Selection, order: RecordOrder, size: int) -> list[int]:
    """All before the last one, going back."""
    last = walked(store, wanted, order, 500)[-1]
    place: Any = store.record_pages.place(last, order, wanted)
    ids: list[int] = []
    while True:
        page = store.record_pages.page(wanted, order=order, limit=size, before=place)
        ids += reversed(page.ids)
        if page.before is None:
            return ids
        place = page.before


def test_a_search_says_what_it_does_not_know_yet(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = filled(store, [{"a": "天气"}] * 6)
    monkeypatch.setattr("corpusmith.store.record_text.FEW_MISSING", 3)
    page = store.record_pages.page(replace(ALL, text="天"))
    assert (list(page.ids), page.missing) == ([], 4)
    assert store.record_text.index(3).more
    page = store.record_pages.page(replace(ALL, text="天"))
    assert (len(page.ids), page.missing) == (6, 0)
    # More edits than it waits for: what they say now is looked up, what they said is not shown.
    for one in ids:
        store.versions.edit(one, {"a": "学"}, "甲")
    page = store.record_pages.page(replace(ALL, text="天"))
    assert (list(page.ids), page.missing) == ([], 4)


def test_the_index_starts_anew(store: SqlStore) -> None:
    (one,) = filled(store, [{"a": "天气"}])
    store.versions.edit(one, {"a": "学习"}, "甲")
    assert found(store, "学") == [one]
    store.record_text.start_anew()
    assert store.record_text.missing(10) == 1
    assert (found(store, "学"), found(store, "天")) == ([one], [])


def test_a_text_of_a_million_words_is_searched_whole(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpusmith.store.record_text_rows.PART_BYTES", 2000)
    (one, _) = filled(store, [{"a": " ".join(f"w{n}x" for n in range(900))}, {"a": "w3x"}])
    for words, expected in (("w3x w899x", [one]), ("w898x w0", [one]), ("w899x w900x", [])):
        assert found(store, words) == expected
    assert found(store, '"w5x w6x w7x"') == [one]
    assert found(store, '"w5x w7x"') == []


def test_two_that_index_at_once_do_it_once(store: SqlStore) -> None:
    ids = filled(store, [{"a": "天气"}] * 5)
    other = SqlStore(store._database)
    read = other.record_text._database.read
    state: dict[str, Any] = {}
    with read() as connection:
        state |= _state(connection)
        texts_there = list(_texts(connection, ids=ids))
    store.record_text.catch_up()
    late = other.record_text._write(state, texts_there, {"done": max(ids)}, gone=(), old=())
    assert late.records == 0
    assert store.record_text.missing(10) == 0
    assert sorted(found(store, "天")) == sorted(ids)


# ---------------------------------------------------------------- filters


FILTERS: dict[str, Callable[[Record], bool]] = {
    "scenario=s1": lambda one: one.labels["scenario"] == "s1",
    "character=c0": lambda one: one.labels["character"] == "c0",
    "category=日常": lambda one: one.category == "日常",
    "model=m2": lambda one: "m2" in one.provenance["models"],
    "model=m": lambda one: False,
    "state=approved": lambda one: one.state == "approved",
    "tag=长": lambda one: "长" in one.tags,
    "flag=sensitive": lambda one: "sensitive" in one.flags,
    "flag=any": lambda one: bool(one.flags),
    "unflagged=1": lambda one: not one.flags,
    "min_score=3": lambda one: one.score is not None and one.score >= 3,
    "max_score=3": lambda one: one.score is not None and one.score <= 3,
    "min_rating=4": lambda one: one.rating is not None and one.rating >= 4,
    "min_length=7": lambda one: length_of(one.content) >= 7,
    "max_length=9": lambda one: length_of(one.content) <= 9,
}


def selected(name: str) -> dict[str, Any]:
    field, _, value = name.partition("=")
    if field == "unflagged":
        return {"unflagged": True}
    number = field.startswith(("min", "max"))
    return {field: float(value) if number else value}


def judged(store: SqlStore) -> list[int]:
    """Records of two datasets, scored, rated, tagged and decided on in part."""
    filled(store, [{"a": "x" * 3}] * 4, "other")
    ids = filled(store, [{"a": "字" * n, "b": ["y"]} for n in range(24)])
    store.reviews.set_scores({one: 1 + place % 9 / 2 for place, one in enumerate(ids[:18])})
    store.reviews.change(ids[::3], "甲", Change(state="approved"))
    store.reviews.change(ids[1::4], "乙", Change(rating=4))
    store.reviews.change(ids[::6], "乙", Change(add_tags=("长", "短")))
    store.reviews.change(ids[12:], "乙", Change(add_tags=("短",)))
    return ids


def test_filters_alone_and_in_pairs_give_what_plain_python_gives(store: SqlStore) -> None:
    judged(store)
    there = list(store.records.iterate(ALL))
    names = list(FILTERS)
    pairs = [(one, other) for place, one in enumerate(names) for other in names[place:]]
    for pair in pairs:
        fields = {**selected(pair[0]), **selected(pair[1])}
        if len(fields) < len(set(pair)):
            continue
        expected = [one.id for one in there if all(FILTERS[name](one) for name in pair)]
        wanted = replace(ALL, **fields)
        assert list(store.record_pages.page(wanted, limit=100).ids) == expected, pair
        assert store.record_pages.count(wanted).count == len(expected)
        assert store.records.count(wanted) == len(expected), pair
        assert store.record_pages.ids(wanted) == sorted(expected)


KEYS: dict[RecordOrder, Callable[[Record], Any]] = {
    "own": lambda one: (one.task_id, one.ordinal),
    "newest": lambda one: -one.id,
    "best": lambda one: (-(one.score or -1), -one.id),
    "worst": lambda one: (one.score or 99, one.id),
    "liked": lambda one: (-(one.rating or -1), -one.id),
    "disliked": lambda one: (one.rating or 99, one.id),
    "longest": lambda one: (-length_of(one.content), -one.id),
    "shortest": lambda one: (length_of(one.content), one.id),
}


@pytest.mark.parametrize("order", list(ORDERS))
def test_every_order_walks_both_ways(store: SqlStore, order: RecordOrder) -> None:
    judged(store)
    there = sorted(store.records.iterate(ALL), key=KEYS[order])
    expected = [one.id for one in there]
    assert walked(store, ALL, order, 5) == expected
    assert backwards(store, ALL, order, 5) == expected[:-1][::-1]
    task = Selection(task_id=there[0].task_id)
    assert walked(store, task, order, 7) == expected


def test_a_page_that_was_long_to_find_is_kept_until_this_process_writes(
    store: SqlStore,
    store_url: str,
    opened: Callable[[str], SqlStore],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept, "DEAR_S", 0.0)
    monkeypatch.setattr(kept, "TIMES", 1e9)
    ids, pages = filled(store, [{"a": "x"}, {"a": "y"}]), store.record_pages

    def asked() -> list[list[int]]:
        first = pages.page(ALL, order="newest", limit=1)
        second = pages.page(ALL, order="newest", limit=1, after=first.after)
        found = (first, second, pages.page(ALL), pages.page(replace(ALL, scenario="s1")))
        return [list(one.ids) for one in found]

    newest = sorted(ids)[::-1]
    before = asked()
    assert before == [newest[:1], newest[1:], ids, ids[1:2]]
    more = filled(opened(store_url), [{"a": "z"}])
    assert asked() == before
    store.datasets.add(Dataset(name="another", description="", language="zh"))
    assert asked()[0] == more


@pytest.mark.parametrize("place", [(), (1,), (1, 2, 3, 4, 5), ("a", 1, 2, 3), (1, None, 2, 3)])
def test_a_place_that_is_none_is_refused(store: SqlStore, place: Any) -> None:
    filled(store, [{"a": "x"}])
    with pytest.raises(UsageError) as caught:
        store.record_pages.page(ALL, after=place)
    assert caught.value.reason == "bad_cursor"


def test_counts_end_where_counting_is_enough(store: SqlStore) -> None:
    filled(store, [{"a": "天"}] * 12)
    for wanted in (ALL, replace(ALL, text="天")):
        assert store.record_pages.count(wanted, 12).more is False
        capped = store.record_pages.count(wanted, 11)
        assert (capped.count, capped.more) == (11, True)
    with pytest.raises(NotFound):
        store.record_pages.count(Selection(dataset="nowhere"))


def test_facets_count_what_records_are_named(store: SqlStore) -> None:
    ids = judged(store)
    facets = store.record_pages.facets(SET)
    assert facets.total == 24
    assert facets.states.values == {"pending": 16, "approved": 8}
    assert facets.scenarios.values == {"s0": 8, "s1": 8, "s2": 8}
    assert facets.models.values == {"all": 24, "m0": 6, "m1": 6, "m2": 6, "m3": 6}
    assert facets.tags.values == {"短": 14, "长": 4}
    assert facets.flags.values == {"sensitive": 5}
    store.reviews.change(ids, "乙", Change(remove_tags=("短", "长")))
    assert store.record_pages.facets(SET).tags.values == {}
    short = store.record_pages.facets(SET, most=2).models
    assert (len(short.values), short.more) == (2, True)


# ---------------------------------------------------------------- what is kept beside records


def kinds_and_lengths_are_right(store: SqlStore) -> None:
    with store._database.read() as connection:
        for table in (records, removed):
            rows = connection.execute(select(table)).mappings().all()
            kinds = kinds_of(connection, {row["kind"] for row in rows})
            for row in rows:
                names = {name: row[name] for name in Kind._fields if name != "models"}
                models = models_text(from_json(row["provenance"]))
                assert kinds[row["kind"]] == Kind(models=models, **names)
                assert row["length"] == length_of(from_json(row["content"]))


def test_kind_and_length_follow_whatever_is_done(store: SqlStore) -> None:
    ids = judged(store)
    kinds_and_lengths_are_right(store)
    store.versions.edit(ids[0], {"a": "三个字", "b": []}, "甲")
    store.versions.edit_many([(ids[1], 1, {"a": "x", "b": []})], "甲", kind="mask")
    store.records.note([(ids[2], {"length": FLAG}), (ids[5], {"sensitive": None})])
    kinds_and_lengths_are_right(store)
    number = store.removals.remove(SET, ids[:8], reason="test").number
    store.review_undo.undo("甲")
    store.review_undo.undo("乙")
    kinds_and_lengths_are_right(store)
    store.removals.restore(number)
    kinds_and_lengths_are_right(store)


def test_a_batch_that_is_rolled_back_leaves_no_number_behind(store: SqlStore) -> None:
    task = new_task(store, (Quota(name="日常", count=2),))
    lease = store.acquire(task.id, owner_id(), 60, 0.0)
    drafts = (Draft(content={"a": "x"}, labels={"scenario": "neu"}),)
    save = Save(
        task_id=task.id,
        fence=lease.fence,
        outcome=Outcome(item=Item(task_seed=7, category="日常", ordinal=0), drafts=drafts),
        accepted=drafts,
        misses=(),
    )
    transaction = store.transaction()
    transaction.begin()
    assert transaction.apply([save]) == [None]
    transaction.rollback()
    assert write(store, save) == [None]
    kinds_and_lengths_are_right(store)


def test_words_are_told_apart_alike() -> None:
    query = query_of('天气 "Hello,  World" ＧＰＴ模型')
    assert [phrase.words for phrase in query.phrases] == [
        ("天", "气"),
        ("hello", "world"),
        ("gpt", "模", "型"),
    ]
    assert [phrase.open for phrase in query.phrases] == [False, False, False]
    assert query_of("train").phrases[0].open


def test_records_from_before_get_kind_and_length(
    bare_url: str, opened: Callable[[str], SqlStore]
) -> None:
    engine = create_engine(parse_url(bare_url))
    row = {
        "content": '{"a": "天气", "b": ["ok", 1]}',
        "provenance": '{"models": ["m2", "m1"]}',
        "tags": '["长"]',
        "flags": " sensitive ",
    }
    with engine.begin() as connection:
        make_schema(connection, "0006")
        for table, number in (("records", 1), ("records", 2), ("removed", 3)):
            removal = ", removal_id" if table == "removed" else ""
            if removal:
                connection.execute(
                    text(
                        "INSERT INTO removals (dataset, reason, count, created_at)"
                        " VALUES ('d', 'x', 1, 0)"
                    )
                )
            connection.execute(
                text(
                    "INSERT INTO " + table + " (id, task_id, position, ordinal, sample, category,"
                    " content, provenance, labels, state, created_at, tags, flags" + removal + ")"
                    " VALUES (:id, 1, 0, :id, 0, '日常', :content, :provenance, '{}', 'pending', 0,"
                    " :tags, :flags" + (", 1" if removal else "") + ")"
                ),
                {"id": number, **row},
            )
    engine.dispose()
    store = opened(bare_url)
    kinds_and_lengths_are_right(store)
    with store._database.read() as connection:
        assert list(connection.scalars(select(records.c.length))) == [4, 4]
    found = store.record_pages.page(Selection(task_id=1, model="m1", tag="长", text="天气"))
    assert list(found.ids) == [1, 2]
