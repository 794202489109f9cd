"""Chains: which task does which step of a chain file.

Owns: the `chains` and `chain_steps` rows. Does not own: tasks, and what a step is (the service).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from corpusmith.store.codec import plain
from corpusmith.store.database import Database
from corpusmith.store.schema import chain_steps, chains, tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainStep:
    """One step. `task_id` None: its task is not made yet."""

    name: str
    digest: str
    task_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One run of a chain file, over as many commands as it takes."""

    id: int
    name: str
    source: str
    steps: tuple[ChainStep, ...]
    created_at: float
    """Seconds since 1970."""


class Chains:
    """The `chains` table and its steps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, source: str, steps: Sequence[ChainStep]) -> Chain:
        """A new chain; steps that have a task already keep it."""
        row = {"name": plain(name), "source": plain(source), "created_at": self._database.now()}
        with self._database.write() as connection:
            chain_id = connection.execute(insert(chains).returning(chains.c.id), row).scalar_one()
            connection.execute(
                insert(chain_steps),
                [
                    {
                        "chain_id": chain_id,
                        "position": position,
                        "name": plain(step.name),
                        "digest": step.digest,
                        "task_id": step.task_id,
                    }
                    for position, step in enumerate(steps)
                ],
            )
            return _chain(connection, chain_id)

    def get(self, chain_id: int) -> Chain | None:
        """None: there is none."""
        query = select(chains.c.id).where(chains.c.id == chain_id)
        with self._database.read() as connection:
            if connection.scalar(query) is None:
                return None
            return _chain(connection, chain_id)

    def list(self, source: str, *, limit: int, before: int | None = None) -> Sequence[Chain]:
        """Those of that source, the newest first; `before`: only older ones than this."""
        query = select(chains.c.id).where(chains.c.source == plain(source))
        if before is not None:
            query = query.where(chains.c.id < before)
        with self._database.read() as connection:
            found = connection.scalars(query.order_by(chains.c.id.desc()).limit(limit)).all()
            return [_chain(connection, chain_id) for chain_id in found]

    def last(self, name: str, source: str) -> Chain | None:
        """The newest chain of that file; None: it was never run."""
        query = select(func.max(chains.c.id)).where(
            chains.c.name == plain(name), chains.c.source == plain(source)
        )
        with self._database.read() as connection:
            chain_id = connection.scalar(query)
            return None if chain_id is None else _chain(connection, chain_id)

    def made(self, name: str, source: str) -> dict[str, int]:
        """Step → the newest task that did it in any chain of that file, of those that have one."""
        query = (
            select(chain_steps.c.name, chain_steps.c.task_id)
            .join(chains, chains.c.id == chain_steps.c.chain_id)
            .where(chains.c.name == plain(name), chains.c.source == plain(source))
            .where(chain_steps.c.task_id.is_not(None))
            .order_by(chains.c.id)
        )
        with self._database.read() as connection:
            return {step: task_id for step, task_id in connection.execute(query)}

    def link(self, chain_id: int, position: int, task_id: int) -> None:
        """From now on this task does this step."""
        with self._database.write() as connection:
            connection.execute(
                update(chain_steps)
                .where(chain_steps.c.chain_id == chain_id, chain_steps.c.position == position)
                .values(task_id=task_id)
            )

    def stray(self, name: str, since: float) -> int | None:
        """A task of that name, made since then, that does no step: its process was killed between
        making and linking it. None: there is none."""
        taken = select(chain_steps.c.task_id).where(chain_steps.c.task_id.is_not(None))
        query = select(func.max(tasks.c.id)).where(
            tasks.c.name == plain(name), tasks.c.created_at >= since, tasks.c.id.not_in(taken)
        )
        with self._database.read() as connection:
            found: int | None = connection.scalar(query)
        return found


def _chain(connection: Connection, chain_id: int) -> Chain:
    row = connection.execute(select(chains).where(chains.c.id == chain_id)).mappings().one()
    steps = connection.execute(
        select(chain_steps.c.name, chain_steps.c.digest, chain_steps.c.task_id)
        .where(chain_steps.c.chain_id == chain_id)
        .order_by(chain_steps.c.position)
    ).all()
    return Chain(
        id=row["id"],
        name=row["name"],
        source=row["source"],
        steps=tuple(
            ChainStep(name=name, digest=digest, task_id=task_id) for name, digest, task_id in steps
        ),
        created_at=row["created_at"],
    )
