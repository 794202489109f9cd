"""Every format from one fixed set of records of every kind, to the byte."""

from __future__ import annotations

import export_cases
import pytest

from corpusmith import registry
from corpusmith.exports.formats import format_of


@pytest.mark.parametrize("name", export_cases.GOLDENS)
def test_an_export_is_its_golden_file(name: str) -> None:
    wanted = tuple(place.read_bytes() for place in export_cases.places(name))
    assert export_cases.golden(name) == wanted


def test_every_format_has_a_golden_file() -> None:
    formats = {form for form, _, _ in export_cases.GOLDENS.values()} | {"parquet"}
    assert formats == set(registry.names("exporter"))


def test_no_golden_file_is_left_over() -> None:
    wanted = {place.name for name in export_cases.GOLDENS for place in export_cases.places(name)}
    assert {path.name for path in export_cases.GOLDEN.iterdir()} == wanted


@pytest.mark.parametrize("name", export_cases.GOLDENS)
def test_every_refusal_has_a_text_in_both_languages(name: str) -> None:
    from corpusmith.errors import UsageError

    form, path, options = export_cases.GOLDENS[name]
    exporter = format_of(form, path, options).exporter
    for _, record in export_cases.records():
        try:
            exporter.rows(record)
        except UsageError as error:
            assert error.data["record"] == record.id
            for language in ("zh", "en"):
                told = error.message(language)  # type: ignore[arg-type]
                assert str(record.id) in told and "{" not in told
