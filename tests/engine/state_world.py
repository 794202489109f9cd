"""What the state machine acts on: a Studio whose model lives in process, and can be killed.

Owns: a stub model that is a pure function of what it is asked, and a death like `kill -9`.
Does not own: what is done and what must hold (`test_state_machine.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, ClassVar

import orjson
from sqlalchemy import text

from corpusmith import Studio
from corpusmith.errors import BadRequest, StoreError, StoreUnavailable
from corpusmith.service.tasks import Result
from corpusmith.values import (
    PASS,
    ChatRequest,
    Connection,
    Draft,
    Reply,
    StructuredMode,
    Usage,
    Verdict,
)

USAGE = Usage(prompt_tokens=3, completion_tokens=5)


class Model:
    """Fits contracts.Provider. Answers, refuses or breaks off by nothing but the request.

    `on_call` is told the number of each call: there a test pauses or kills the run.
    """

    modes: tuple[StructuredMode, ...] = ("schema",)
    calls: ClassVar[int] = 0
    on_call: ClassVar[Callable[[int], None]] = staticmethod(lambda number: None)

    def __init__(self, connection: Connection, key: object) -> None:
        pass

    async def chat(self, request: ChatRequest, *, timeout_s: float | None = None) -> Reply:
        Model.calls += 1
        Model.on_call(Model.calls)
        await asyncio.sleep(0)
        asked = "\n".join(message.content for message in request.messages).encode()
        digest = blake2b(asked, digest_size=8).digest()
        if digest[0] < 25:  # no reply, no money: the same request fails the same way again
            raise BadRequest(status=400, cause=f"no {digest.hex()}")
        said = _said(request, digest.hex())
        if digest[0] < 50:  # paid and useless: another try needs fresh samples
            return Reply(text=said[: len(said) // 2], finish="length", usage=USAGE)
        return Reply(text=said, usage=USAGE)

    async def models(self) -> list[str]:
        return ["stub"]

    async def close(self) -> None:
        return None


def _said(request: ChatRequest, digest: str) -> str:
    """A text; `dialogues_KxT` asks for K dialogues of T turns."""
    if request.schema is None:
        return f"且听下回分解，{digest}"
    k, _, turns = request.schema.name.removeprefix("dialogues_").partition("x")
    line = {"user": f"你好，{digest}", "assistant": f"好呀，{digest}"}
    dialogues = [
        {"turns": [line | {"user": f"{n}{line['user']}"}] * int(turns)} for n in range(int(k))
    ]
    return orjson.dumps({"dialogues": dialogues}).decode()


class Fussy:
    """Rejects a third of the drafts by what is said in them."""

    name: ClassVar[str] = "fussy"

    def __call__(self, draft: Draft) -> Verdict:
        said = orjson.dumps(draft.content.get("dialogues") or draft.content)
        fine = blake2b(said, digest_size=1).digest()[0] >= 85
        return PASS if fine else Verdict(passed=False, reason="fussy")


class Mortal:
    """A store that can die: then nothing is written any more, whatever tries to."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.dead = False

    def __getattr__(self, name: str) -> Any:
        if self.dead:
            raise StoreUnavailable(url="", cause="killed")
        return getattr(self._store, name)

    def transaction(self) -> Any:
        return MortalTransaction(self, self._store.transaction())


class MortalTransaction:
    """A transaction that never commits once its store is dead."""

    def __init__(self, store: Mortal, transaction: Any) -> None:
        self._store = store
        self._transaction = transaction
        self.rollback = transaction.rollback

    def __getattr__(self, name: str) -> Any:
        if self._store.dead:
            raise StoreUnavailable(url="", cause="killed")
        return getattr(self._transaction, name)


def run_and_die(studio: Studio, task_id: int, after_calls: int) -> Result | None:
    """Run a task, and die like `kill -9` at a call. The result, if it ended before."""
    store = studio.store
    mortal: Any = Mortal(store)
    last = Model.calls + after_calls

    def die(number: int) -> None:
        if number >= last:
            mortal.dead = True
            raise StoreUnavailable(url="", cause="killed")

    studio.store = mortal
    Model.on_call = staticmethod(die)
    try:
        return studio.tasks.run(task_id)
    except StoreError:
        return None
    finally:
        Model.on_call = staticmethod(lambda number: None)
        studio.store = store
        _bury(studio)


def _bury(studio: Studio) -> None:
    """Make the lease's owner a process that is gone: ours with another start time."""
    with studio.store._database.write() as connection:
        owner = connection.scalar(text("SELECT lease_owner FROM tasks WHERE lease_owner <> ''"))
        if owner:
            parts = owner.split("|")
            parts[4] = "1"
            connection.execute(text("UPDATE tasks SET lease_owner = :o"), {"o": "|".join(parts)})


def wipe(studio: Studio) -> None:
    """Empty the tables that tasks fill."""
    with studio.store._database.write() as connection:
        for table in ("records", "items", "executions", "quotas", "tasks", "calls", "datasets"):
            connection.execute(text(f"DELETE FROM {table}"))


def journal(studio: Studio, task_id: int) -> list[bytes]:
    """The keys of the calls that the task paid."""
    with studio.store._database.read() as connection:
        query = text("SELECT key FROM calls WHERE task_id = :id")
        return [bytes(key) for key in connection.scalars(query, {"id": task_id})]
