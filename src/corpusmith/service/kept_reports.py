"""Use-cases of reports that are kept: one can be read again when the dataset is another by now.

Owns: their names, for how long they stay. Does not own: making one and its forms (`reports.py`),
rows (`store/reports.py`).
A report is kept as values, in the database: whoever shares it sees it, a backup holds it, and it
goes with its dataset. The page, in any language, is drawn from it when somebody looks.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from corpusmith.errors import NotFound
from corpusmith.reports.report import Report
from corpusmith.values import Selection

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

MOST = 20
"""Of a dataset; the oldest goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReport:
    """A report that was made before."""

    id: str
    made_at: str
    """ISO 8601, UTC."""


class KeptReports:
    """`studio.kept_reports`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def make(
        self,
        dataset: str,
        *,
        only: Selection | None = None,
        seed: int = 0,
        show: Callable[[int, int], None] | None = None,
    ) -> KeptReport:
        """Make a report, as `studio.reports.of` does, and keep it. Raises NotFound (dataset)."""
        found = self._studio.reports.of(dataset=dataset, only=only, seed=seed, show=show)
        return self.keep(dataset, found)

    def keep(self, dataset: str, report: Report) -> KeptReport:
        """Raises NotFound (dataset)."""
        body = self._studio.reports.text(report, "json").decode()
        now = datetime.now(UTC)
        # Not only the moment: two may be kept at the same one.
        name = f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
        self._studio.store.reports.add(dataset, name, body, made_at=now.timestamp(), most=MOST)
        return KeptReport(id=name, made_at=_said(now.timestamp()))

    def list(self, dataset: str) -> Sequence[KeptReport]:
        """The newest first. Raises NotFound (dataset)."""
        found = self._studio.store.reports.list(dataset)
        return [KeptReport(id=name, made_at=_said(made_at)) for name, made_at in found]

    def get(self, dataset: str, kept: str) -> Report:
        """Raises NotFound: the dataset, or the report."""
        body = self._studio.store.reports.get(dataset, kept)
        if body is None:
            raise NotFound("unknown_report", kind="report", name=kept[:60])
        report: Report = _adapter().validate_json(body)
        return report

    def delete(self, dataset: str, kept: str) -> None:
        """Raises NotFound."""
        if not self._studio.store.reports.delete(dataset, kept):
            raise NotFound("unknown_report", kind="report", name=kept[:60])


def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Report)


def _said(moment: float) -> str:
    made = datetime.fromtimestamp(moment, UTC)
    return made.isoformat(timespec="seconds").replace("+00:00", "Z")
