"""Alembic's door. `open.py` hands the connection over, inside a transaction of its own."""

from __future__ import annotations

from alembic import context

from corpusmith.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
context.run_migrations()
