"""Leases: which process runs a task, and whether that process still lives.

Owns: owner strings, taking, prolonging and giving back a lease, and the execution rows that go
with them. Does not own: what a run does with its task.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from corpusmith.contracts import Beat, Lease
from corpusmith.errors import LeaseHeld, LeaseLost, NotFound, Stopped, UsageError
from corpusmith.store.codec import from_json, to_json
from corpusmith.store.database import Database
from corpusmith.store.live import forget_live, write_live
from corpusmith.store.schema import executions, tasks
from corpusmith.store.tally import BILL, COUNTERS
from corpusmith.values import Json, Status

# ---------------------------------------------------------------- owners


def owner_id() -> str:
    """This process, told apart from every other one anywhere; new on each call.

    Host, boot, process namespace, pid and the process's start time, so that another process of
    the same machine can know when we are gone; then something random.
    """
    pid = os.getpid()
    parts = (
        socket.gethostname().replace("|", "_"),
        _boot(),
        _namespace(),
        str(pid),
        _started(pid) or "",
        secrets.token_hex(4),
    )
    return "|".join(parts)


def surely_dead(owner: str) -> bool:
    """True only when the owner ran on this machine, since its last boot, and is gone.

    False for any doubt: another host, another container, a system that does not tell.
    """
    parts = owner.split("|")
    if len(parts) != 6:
        return False
    host, boot, namespace, pid, started, _ = parts
    here = (socket.gethostname().replace("|", "_"), _boot(), _namespace())
    if (host, boot, namespace) != here or not pid.isdecimal() or os.name != "posix":
        return False
    if not started:
        return not _exists(int(pid))
    return _started(int(pid)) != started


def human(owner: str) -> str:
    """The owner for people: host and process number."""
    parts = owner.split("|")
    return f"{parts[0]} pid {parts[3]}" if len(parts) == 6 else owner


def _boot() -> str:
    # Without /proc, the network card's number stands for the machine; where there is none, Python
    # draws a random one, and then nobody is ever surely dead.
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return f"node-{uuid.getnode():x}"


def _namespace() -> str:
    with contextlib.suppress(OSError):
        return os.readlink("/proc/self/ns/pid")
    return ""


def _started(pid: int) -> str | None:
    """When `pid` started, in clock ticks since boot; None: gone, a zombie, or no /proc."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # The name, in brackets, may hold anything; the state is the first field after it.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


# ---------------------------------------------------------------- leases


class Leases:
    """The lease columns of `tasks`. `fence` grows whenever a lease is given or revoked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def acquire(
        self, task_id: int, owner: str, ttl_s: float, now: float, *, asked: bool = False
    ) -> Lease:
        """Take the task until `now + ttl_s`, and open its execution.

        `asked`: only if somebody still waits for it to run. Raises LeaseHeld, NotFound, Stopped,
        and UsageError `task_cancelled`.
        """
        with self._database.write() as connection:
            refuse_cancelled(locked(connection, task_id))
            row = require_idle(connection, task_id, now)
            if asked and row["queued_at"] is None:
                raise Stopped(task=task_id)
            fence = row["fence"] + 1
            connection.execute(
                update(tasks)
                .where(tasks.c.id == task_id)
                .values(
                    fence=fence,
                    lease_owner=owner,
                    lease_until=now + ttl_s,
                    status="running",
                    cause=None,
                    request=None,
                    updated_at=now,
                )
            )
            connection.execute(
                insert(executions).values(
                    task_id=task_id,
                    owner=owner,
                    started_at=now,
                    status="running",
                    before=to_json(_totals(row)),
                )
            )
        return Lease(task_id=task_id, owner=owner, fence=fence, asked_at=row["queued_at"])

    def renew(self, lease: Lease, ttl_s: float, now: float, live: Json = None) -> Beat:
        """Prolong, with what the run looks like; returns what others want. Raises LeaseLost."""
        with self._database.write() as connection:
            row = held(connection, lease)
            connection.execute(
                update(tasks).where(tasks.c.id == lease.task_id).values(lease_until=now + ttl_s)
            )
            if live is not None:
                write_live(connection, self._database, lease.task_id, now, live)
        return Beat(wish=row["request"], revision=row["revision"])

    def release(
        self,
        lease: Lease,
        status: Status,
        cause: Mapping[str, Json] | None,
        *,
        again: bool = False,
    ) -> None:
        """Give back, with the new status and why; closes the execution. Raises LeaseLost."""
        with self._database.write() as connection:
            give_back(connection, lease, status, cause, self._database.now(), again=again)


def give_back(
    connection: Connection,
    lease: Lease,
    status: Status,
    cause: Mapping[str, Json] | None,
    now: float,
    *,
    again: bool = False,
) -> None:
    """`Leases.release` within a transaction that does more. Raises LeaseLost."""
    row = held(connection, lease)
    if row["request"] == "cancel" and status != "finished":
        # It ended for another reason before it heard of the wish, which is for good.
        status, cause = "cancelled", {"code": "cancelled"}
    close_executions(connection, row, status, cause, now)
    forget_live(connection, lease.task_id)
    # Who asked anew while this run came to its end waits for another.
    waits = again or row["queued_at"] != lease.asked_at
    connection.execute(
        update(tasks)
        .where(tasks.c.id == lease.task_id)
        .values(
            lease_owner=None,
            lease_until=None,
            status=status,
            cause=None if cause is None else to_json(cause),
            request=None,
            queued_at=row["queued_at"] if waits else None,
            updated_at=now,
        )
    )


def require_idle(connection: Connection, task_id: int, now: float) -> RowMapping:
    """The task's row, locked; a dead or expired lease on it is revoked, so that its late writes
    are refused. Raises NotFound, and LeaseHeld while a process runs it."""
    row = locked(connection, task_id)
    owner = row["lease_owner"]
    if owner is None:
        return row
    left_s = row["lease_until"] - now
    if left_s > 0 and not surely_dead(owner):
        raise LeaseHeld(task=task_id, owner=human(owner), seconds=max(1, round(left_s)))
    ended_at = min(now, row["lease_until"])
    close_executions(connection, row, "interrupted", None, ended_at)
    forget_live(connection, task_id)
    connection.execute(
        update(tasks)
        .where(tasks.c.id == task_id)
        .values(lease_owner=None, lease_until=None, fence=row["fence"] + 1, request=None)
    )
    return locked(connection, task_id)


def refuse_cancelled(row: RowMapping) -> None:
    """Raises UsageError `task_cancelled` for a task that is not to be run again, also where its
    process was killed before it heard of it."""
    if row["status"] == "cancelled" or row["request"] == "cancel":
        raise UsageError("task_cancelled", task=row["id"])


def close_executions(
    connection: Connection,
    row: RowMapping,
    status: str,
    cause: Mapping[str, Json] | None,
    now: float,
) -> None:
    """End the task's open execution with what it added to the task's counters."""
    found = connection.execute(
        select(executions.c.id, executions.c.before).where(
            executions.c.task_id == row["id"], executions.c.ended_at.is_(None)
        )
    ).all()
    for execution_id, before in found:
        connection.execute(
            update(executions)
            .where(executions.c.id == execution_id)
            .values(
                ended_at=now,
                status=status,
                cause=None if cause is None else to_json(cause),
                result=to_json(since(row, before)),
            )
        )


def since(row: Mapping[Any, Any], before: str) -> dict[str, Any]:
    """What the task's counters grew by since `before` was taken."""
    start = from_json(before)
    return {name: row[name] - start[name] for name in (*COUNTERS, *BILL)}


def _totals(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: row[name] for name in (*COUNTERS, *BILL)}


def locked(connection: Connection, task_id: int) -> RowMapping:
    """The task's row, nobody else's to write until the transaction ends. Raises NotFound."""
    found = connection.execute(select(tasks).where(tasks.c.id == task_id).with_for_update())
    row = found.mappings().first()
    if row is None:
        raise NotFound("unknown_task", kind="task", name=task_id)
    return row


def held(connection: Connection, lease: Lease) -> RowMapping:
    """The task's row, locked. Raises LeaseLost."""
    try:
        row = locked(connection, lease.task_id)
    except NotFound as error:
        raise LeaseLost(task=lease.task_id) from error
    if row["fence"] != lease.fence or row["lease_owner"] != lease.owner:
        raise LeaseLost(task=lease.task_id)
    return row
