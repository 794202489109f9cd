"""What loaders make of a training CSV, which cannot say that a cell is a text.

Owns: refusing what would be lost there in silence. Hugging Face's datasets, and with it TRL and
LLaMA-Factory, reads CSV by pandas, 10,000 rows at a time: a cell `NA` or `None` becomes no value,
and a column in which every cell of these rows is a number becomes numbers. LLaMA-Factory passes
over such answers; where the rows before had texts, `007` becomes `7` and `1e5` becomes `100000`.
Does not own: CSV's bytes (`table.py`), the order of rows (`first_rows.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from corpusmith.contracts import Kind
from corpusmith.errors import UsageError

NO_VALUE = frozenset(
    (
        *("#N/A", "#N/A N/A", "#NA", "<NA>", "N/A", "NA", "n/a"),
        *("-NaN", "-nan", "NaN", "nan", "-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN"),
        *("NULL", "null", "None"),
    )
)
"""Cells that pandas takes for no value (its `STR_NA_VALUES`), but for the empty one."""
_FLAGS = frozenset(("true", "false"))


AT_ONCE = 10_000
"""Rows that datasets makes columns of at once."""
ROOM_ROWS = 9_000
"""Rows after which one that tells a column's type comes first: inside the first `AT_ONCE`."""


class Untyped:
    """Looks at the cells of a table: as they come (`tells`), and as they are written (`see`)."""

    def __init__(self, columns: Mapping[str, Kind]) -> None:
        self.rows = 0
        """Seen so far."""
        self._names = tuple(columns)
        self._texts = [at for at, kind in enumerate(columns.values()) if kind is str]
        self.untold = set(self._texts)
        """Columns of texts without any cell that must be a text."""
        self._typed: dict[int, bool] = dict.fromkeys(self._texts, False)
        """The same of these rows → whether a cell had something in it."""

    def tells(self, cells: Sequence[str], number: int) -> bool:
        """Whether the row is the first with a text in a column. Raises UsageError for a text that
        would be read as no value."""
        for at in self._texts:
            if cells[at] in NO_VALUE:
                column = self._names[at]
                raise UsageError("export_csv_word", row=number, value=cells[at], column=column)
        told = {at for at in self.untold if cells[at] and not _is_typed(cells[at])}
        self.untold -= told
        return bool(told)

    def see(self, cells: Sequence[str]) -> None:
        """Raises UsageError as `end` does."""
        if self.rows and not self.rows % AT_ONCE:
            self.end()
            self._typed = dict.fromkeys(self._texts, False)
        self.rows += 1
        for at in tuple(self._typed):
            if not cells[at]:
                continue
            if _is_typed(cells[at]):
                self._typed[at] = True
            else:
                del self._typed[at]

    def end(self) -> None:
        """Raises UsageError for a column of texts that would be read as numbers or flags, be it in
        these rows only."""
        for at, filled in self._typed.items():
            if filled:
                first = (self.rows - 1) // AT_ONCE * AT_ONCE + 1
                rows = {"first": first, "last": self.rows}
                raise UsageError("export_csv_numbers", column=self._names[at], **rows)


def _is_typed(cell: str) -> bool:
    if cell.lower() in _FLAGS:
        return True
    if not cell.isascii() or "_" in cell:  # Python reads １２ and 1_0 as numbers; pandas does not
        return False
    try:
        float(cell)
    except ValueError:
        return False
    return True
