"""What loaders make of a training CSV, which cannot say that a cell is a text.

Owns: refusing what would be lost there in silence. Hugging Face's datasets, and with it TRL and
LLaMA-Factory, reads CSV by pandas: a cell `NA` or `None` becomes no value, and a column in which
every cell is a number becomes numbers; LLaMA-Factory then passes over such answers.
Does not own: CSV's bytes (`table.py`).
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


class Untyped:
    """Looks at the cells of a table as they pass."""

    def __init__(self, columns: Mapping[str, Kind]) -> None:
        self._names = tuple(columns)
        self._texts = [at for at, kind in enumerate(columns.values()) if kind is str]
        self._typed: dict[int, bool] = dict.fromkeys(self._texts, False)
        """Columns without any cell that must be a text → whether a cell had something in it."""

    def see(self, cells: Sequence[str], number: int) -> None:
        """Raises UsageError for a text that would be read as no value."""
        for at in self._texts:
            cell = cells[at]
            if cell in NO_VALUE:
                raise UsageError("export_csv_word", row=number, value=cell, column=self._names[at])
            if at not in self._typed or not cell:
                continue
            if _is_typed(cell):
                self._typed[at] = True
            else:
                del self._typed[at]

    def end(self) -> None:
        """Raises UsageError for a column of texts that would be read as numbers or flags."""
        for at, filled in self._typed.items():
            if filled:
                raise UsageError("export_csv_numbers", column=self._names[at])


def _is_typed(cell: str) -> bool:
    if cell.lower() in _FLAGS:
        return True
    try:
        float(cell.replace("_", "?"))  # Python reads 1_0 as ten; pandas does not
    except ValueError:
        return False
    return True
