"""A model's text cannot steer the terminal of whoever looks at it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_kit import Cli

from corpusmith.cli.widths import harmless
from corpusmith.contracts import Quota, Save
from corpusmith.store.open import open_store
from corpusmith.values import Draft, Item, Miss, Outcome

HOSTILE = "\x1b]0;owned\x07\x1b[2J\u009b2J\u202etxt\rgone\x00 <b>{name}</b> [red]x[/red]"
STEERING = "\x1b\x07\u009b\u202e\r\x00"


def test_what_a_terminal_would_obey_is_shown_as_a_mark() -> None:
    assert harmless("a\x1b[2Jb\tc\nd") == "a\ufffd[2Jb\tc\nd"


@pytest.mark.parametrize("command", [["tasks", "show", "1"], ["tasks", "misses", "1"]])
def test_hostile_text_is_shown_and_obeyed_by_nobody(
    cli: Cli, tmp_path: Path, command: list[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    _task_with_hostile_text(url)
    shown = cli("--db", url, *command)
    said = shown.out + shown.err
    assert (shown.code, [sign for sign in STEERING if sign in said]) == (0, [])
    assert "<b>{name}</b> [red]x[/red]" in said


def _task_with_hostile_text(url: str) -> None:
    store = open_store(url)
    task = store.tasks.create(
        name=HOSTILE,
        recipe="dialogue",
        spec={"language": "en", "recipe_spec": {}},
        dataset=None,
        requested=2,
        seed=1,
        quotas=[Quota(name="a", count=2, waves=((0, 2),), labels={"scenario": HOSTILE})],
        connections={},
    )
    lease = store.acquire(task.id, "test", 30, 0)
    item = Item(task_seed=1, category="a", ordinal=0)
    miss = Miss(kind="failed", reason="invalid_reply", detail={"problem": HOSTILE}, raw=HOSTILE)
    draft = Draft(content={"dialogues": [{"role": "user", "content": HOSTILE}]})
    transaction = store.transaction()
    transaction.begin()
    for outcome, accepted, misses in (
        (Outcome(item=item, misses=(miss,)), (), (miss,)),
        (Outcome(item=Item(task_seed=1, category="a", ordinal=1), drafts=(draft,)), (draft,), ()),
    ):
        save = Save(
            task_id=task.id, fence=lease.fence, outcome=outcome, accepted=accepted, misses=misses
        )
        assert transaction.apply([save]) == [None]
    transaction.commit()
    store.release(lease, "paused", None)
    store.close()
