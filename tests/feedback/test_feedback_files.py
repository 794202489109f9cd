"""Files that change together, and what is remembered between runs."""

from __future__ import annotations

import random
from pathlib import Path

import orjson
import pytest

from corpusmith.digests import Digests, digest
from corpusmith.errors import SpecError
from corpusmith.feedback.files import Drafts, NotAnArray, copy_array, copy_lines, finish_moves
from corpusmith.feedback.samples import JsonArray
from corpusmith.feedback.seen import State, dump_state, load_state


def test_without_a_commit_nothing_changes_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(KeyboardInterrupt), Drafts(tmp_path) as drafts:
        drafts.file("a").write(b"new")
        raise KeyboardInterrupt
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"a": "old"}


def test_a_commit_puts_all_in_place_and_takes_old_ones_away(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "c").write_text("old")
    with Drafts(tmp_path) as drafts:
        drafts.file("a").write(b"1")
        drafts.file("b").write(b"2")
        drafts.remove("c")
        drafts.remove("never there")
        drafts.commit()
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"a": "1", "b": "2"}


def test_a_half_done_move_is_finished_by_the_next_run(tmp_path: Path) -> None:
    first, second = (".corpusmith-feedback-" + digits * 16 + ".part" for digits in "12")
    (tmp_path / "a").write_text("new a")  # moved before the kill
    (tmp_path / second).write_text("new b")
    plan = {"moves": [[first, "a"], [second, "b"]], "removes": ["c"]}
    (tmp_path / ".corpusmith-moves.json").write_bytes(orjson.dumps(plan))
    (tmp_path / "c").write_text("old")
    with Drafts(tmp_path):
        pass
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"a": "new a", "b": "new b"}


def test_what_a_killed_run_left_goes_unless_another_run_is_at_work(tmp_path: Path) -> None:
    left = tmp_path / (".corpusmith-feedback-" + "1" * 16 + ".part")
    export = tmp_path / (".corpusmith-" + "1" * 16 + ".part")  # of an export that goes on
    export.touch()
    with Drafts(tmp_path):
        left.touch()
        with Drafts(tmp_path) as second:
            second.scratch().touch()
        assert {one.name for one in tmp_path.iterdir()} == {left.name, export.name}
    with Drafts(tmp_path):
        pass
    assert [one.name for one in tmp_path.iterdir()] == [export.name]


def test_a_stop_right_after_the_plan_loses_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(folder: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("corpusmith.feedback.files.sync_folder", interrupted)
        with pytest.raises(KeyboardInterrupt), Drafts(tmp_path) as drafts:
            drafts.file("a").write(b"new")
            drafts.commit()
    with Drafts(tmp_path):
        pass
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"a": "new"}


def test_a_plan_reaches_nothing_outside_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "mine").write_text("mine")
    draft = ".corpusmith-feedback-" + "1" * 16 + ".part"
    (folder / draft).write_text("evil")
    plan = {"moves": [[draft, "../mine"], ["../mine", "x"]], "removes": ["../mine", ".."]}
    (folder / ".corpusmith-moves.json").write_bytes(orjson.dumps(plan))
    finish_moves(folder)
    assert (tmp_path / "mine").read_text() == "mine"
    assert [one.name for one in folder.iterdir()] == [draft]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"", [2]),
        (b"[]", [2]),
        (b"[ \n]\n", [2]),
        (b'[\n  {"a": 1}\n]\n', [1, 2]),
        (b'\xef\xbb\xbf[{"a": 1}]', [1, 2]),
        (b"[" + b" " * 100_000 + b'{"a": 1}' + b"\n" * 60_000 + b"]", [1, 2]),
    ],
)
def test_an_array_is_gone_on_with(old: bytes, new: list[int], tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(old)
    with (tmp_path / "new").open("w+b") as out:
        array = JsonArray(out, going_on=copy_array(tmp_path / "old", out))
        array.write([{"a": 2}])
        array.end()
    found = orjson.loads((tmp_path / "new").read_bytes().removeprefix(b"\xef\xbb\xbf"))
    assert [row["a"] for row in found] == new


@pytest.mark.parametrize("old", [b"{}", b"[{}", b"x]", b" "])
def test_what_is_no_array_is_not_gone_on_with(old: bytes, tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(old)
    with (tmp_path / "new").open("w+b") as out, pytest.raises(NotAnArray):
        copy_array(tmp_path / "old", out)


@pytest.mark.parametrize(
    ("old", "new"), [(None, b"2"), (b"", b"2"), (b"1", b"1\n2"), (b"1\n", b"1\n2")]
)
def test_lines_are_gone_on_with(old: bytes | None, new: bytes, tmp_path: Path) -> None:
    if old is not None:
        (tmp_path / "old").write_bytes(old)
    with (tmp_path / "new").open("w+b") as out:
        copy_lines(tmp_path / "old", out)
        out.write(b"2")
    assert (tmp_path / "new").read_bytes() == new


def test_digests_are_a_set() -> None:
    rng = random.Random(1)
    ours, pythons = Digests(), set[int]()
    for _ in range(30_000):
        one = rng.choice([rng.getrandbits(64), rng.getrandbits(13)]) or 1
        assert (one in ours) == (one in pythons)
        assert ours.add(one) == (one not in pythons)
        pythons.add(one)
    assert len(ours) == len(pythons)


def test_the_state_comes_back_as_it_was(tmp_path: Path) -> None:
    seen = Digests()
    marks = [digest("row", number) for number in range(10_000)]
    for mark in marks:
        seen.add(mark)
    (tmp_path / "s").write_bytes(dump_state(State(options={"min_rating": 4.0}, seen=seen)))
    found = load_state(tmp_path / "s")
    assert found is not None
    assert (found.options, len(found.seen)) == ({"min_rating": 4.0}, 10_000)
    assert all(mark in found.seen for mark in marks)
    assert load_state(tmp_path / "none") is None


def test_a_state_that_is_cut_anywhere_is_said_to_be_damaged(tmp_path: Path) -> None:
    seen = Digests()
    for number in range(5):
        seen.add(digest(number))
    whole = dump_state(State(options={"a": 1}, seen=seen))
    path = tmp_path / "s"
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(SpecError) as caught:
            load_state(path)
        assert caught.value.reason == "feedback_state"
