"""The few Protocols that hold the house together. A plug-in is a class that fits one of them.

Owns: what the parts promise each other, a file for each part. Does not own: any implementation.
"""

from __future__ import annotations

from corpusmith.contracts.checks import (
    AskingCheck,
    Check,
    CheckContext,
    Checks,
    ComparingCheck,
    Earlier,
)
from corpusmith.contracts.engine import Clock, Executor, Source
from corpusmith.contracts.exports import Answered, ComparingExporter, Container, Exporter, Kind
from corpusmith.contracts.providers import Provider, ProviderFactory, Secret
from corpusmith.contracts.recipes import Answer, Ask, Recipe, TaskContext
from corpusmith.contracts.store import (
    Beat,
    Charge,
    Finished,
    JournalEntry,
    Lease,
    Quota,
    Save,
    Store,
    Transaction,
    Write,
)

__all__ = [
    "Answer",
    "Answered",
    "Ask",
    "AskingCheck",
    "Beat",
    "Charge",
    "Check",
    "CheckContext",
    "Checks",
    "Clock",
    "ComparingCheck",
    "ComparingExporter",
    "Container",
    "Earlier",
    "Executor",
    "Exporter",
    "Finished",
    "JournalEntry",
    "Kind",
    "Lease",
    "Provider",
    "ProviderFactory",
    "Quota",
    "Recipe",
    "Save",
    "Secret",
    "Source",
    "Store",
    "TaskContext",
    "Transaction",
    "Write",
]
