"""Which records an address or a form speaks of, and back.

Owns: the names of the filters, and what becomes of one that cannot be. Does not own: what fits
(`store/record_pages.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from pydantic import ValidationError

from corpusmith.api.cookies import own_path
from corpusmith.api.selecting import Only, WhereAsked
from corpusmith.errors import UsageError
from corpusmith.store.record_walk import ORDERS, RecordOrder
from corpusmith.values import Selection
from corpusmith.web.render import at

FILTERS = tuple(Only.model_fields)
KEPT = ("dataset", *FILTERS, "order")
"""What an address holds of a list: with it a record knows its neighbours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Records of one dataset, as an address names them."""

    selection: Selection
    query: Mapping[str, str]
    """What was understood, as texts."""
    ignored: tuple[str, ...]
    """Filters that cannot be, such as a score of 9."""
    order: RecordOrder

    @property
    def narrowed(self) -> bool:
        return any(name in self.query for name in FILTERS)


def chosen(dataset: str, given: Mapping[str, Any]) -> Chosen:
    """What `given` asks for; a filter that cannot be is left out, and told."""
    query = {name: str(given.get(name) or "").strip() for name in FILTERS}
    query = {name: value for name, value in query.items() if value}
    ignored: list[str] = []
    while True:
        try:
            where = WhereAsked.model_validate({"dataset": dataset, **query})
            selection = where.selection()
            break
        except ValidationError as error:
            wrong = {str(one["loc"][0]) for one in error.errors() if one["loc"]} & set(query)
        except UsageError as error:
            wrong = {"flag"} & set(query) if error.reason == "flag_unknown" else set()
            if not wrong:
                raise
        # A name that no dataset can have is the dataset's own matter.
        if not wrong:
            return Chosen(
                selection=Selection(dataset=dataset), query={}, ignored=FILTERS, order="own"
            )
        ignored += sorted(wrong)
        query = {name: value for name, value in query.items() if name not in wrong}
    order = given.get("order")
    known = cast(RecordOrder, order) if order in ORDERS else "own"
    if known != "own":
        query["order"] = known
    return Chosen(selection=selection, query=query, ignored=tuple(ignored), order=known)


def back_to(path: str, **changes: str) -> str:
    """An address of ours with something else behind `?`."""
    parts = urlsplit(own_path(path))
    return at(parts.path, dict(parse_qsl(parts.query)), **changes)
