"""Columns that many tables have, and what they all belong to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Float, Index, Integer, MetaData, Text

METADATA = MetaData()

# SQLite counts rows itself only for a column that says INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")
# By code point on both, so that paging by name goes one way.
Name = Text().with_variant(Text(collation="C"), "postgresql")
Seconds = Float(53)


def number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def counters() -> list[Column[int]]:
    """Counts of samples; stored `attempted` counts finished samples only."""
    return [number(name) for name in ("attempted", "accepted", "rejected", "failed")]


def string(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def when(name: str) -> Column[float]:
    return Column(name, Seconds, nullable=False)


def partial(name: str, *columns: Column[Any], where: ColumnElement[bool]) -> Index:
    """An index of those rows alone for which `where` holds, on both databases."""
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)
