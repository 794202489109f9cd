"""Nothing of the local Studio is forgotten: each public method is there, with its signature, or in
the table of what is not, with a reason."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from corpusmith import Studio
from corpusmith.errors import UsageError
from corpusmith.service.remote.door import NOUNS
from corpusmith.service.remote.not_remote import BY_OTHERS, NOT_REMOTE, NOUNS_NOT_REMOTE

NO_NOUNS = {"store", "language", "passwords"}


def local_nouns(studio: Studio) -> dict[str, type]:
    return {
        name: type(one)
        for name, one in vars(studio).items()
        if not name.startswith("_") and name not in NO_NOUNS
    }


def methods(kind: type) -> Iterator[tuple[str, Any]]:
    for name in dir(kind):
        if not name.startswith("_") and callable(found := getattr(kind, name)):
            yield name, found


@pytest.fixture
def nouns(sqlite_url: str) -> Iterator[dict[str, type]]:
    with Studio(sqlite_url) as studio:
        yield local_nouns(studio)


def test_every_noun_is_a_servers_too_or_has_a_reason(nouns: dict[str, type]) -> None:
    assert set(nouns) == set(NOUNS) | set(NOUNS_NOT_REMOTE)
    assert not set(NOUNS) & set(NOUNS_NOT_REMOTE)
    assert all(issubclass(NOUNS[name], nouns[name]) for name in NOUNS)


def test_every_method_is_there_or_has_a_reason(nouns: dict[str, type]) -> None:
    known = {f"{noun}.{name}" for noun in NOUNS for name, _ in methods(nouns[noun])}
    own = {f"{noun}.{name}" for noun, kind in NOUNS.items() for name in vars(kind)}
    made = {name for name in own if name in known and name not in NOT_REMOTE}
    assert known - made - set(NOT_REMOTE) == BY_OTHERS
    assert set(NOT_REMOTE) <= known
    assert not set(NOT_REMOTE) & BY_OTHERS
    assert all(NOT_REMOTE.values()) and all(NOUNS_NOT_REMOTE.values())


def test_methods_take_what_the_local_ones_take(nouns: dict[str, type]) -> None:
    for noun, kind in NOUNS.items():
        for name, local in methods(nouns[noun]):
            here, there = inspect.signature(local), inspect.signature(getattr(kind, name))
            open_ended = any(one.kind is one.VAR_KEYWORD for one in there.parameters.values())
            missing = set(here.parameters) - set(there.parameters)
            assert not missing or open_ended, f"{noun}.{name} lacks {missing}"
            for one in there.parameters.values():
                wanted = one.default is one.empty and one.kind not in (
                    one.VAR_KEYWORD,
                    one.VAR_POSITIONAL,
                )
                mine = here.parameters.get(one.name)
                assert not wanted or (mine is not None and mine.default is mine.empty), (
                    f"{noun}.{name} demands {one.name}"
                )
            assert inspect.iscoroutinefunction(local) == inspect.iscoroutinefunction(
                getattr(kind, name)
            )


def test_what_is_not_there_says_so() -> None:
    with Studio("http://127.0.0.1:9") as studio:
        for name in NOT_REMOTE:
            noun, _, method = name.partition(".")
            with pytest.raises(UsageError) as refused:
                getattr(getattr(studio, noun), method)()
            assert refused.value.reason == "not_over_rest" and name in str(refused.value)
        for noun in NOUNS_NOT_REMOTE:
            with pytest.raises(UsageError, match="works beside"):
                _ = getattr(studio, noun).anything
        with pytest.raises(UsageError):
            _ = studio.store.database
