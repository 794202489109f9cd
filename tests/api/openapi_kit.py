"""Every operation of the OpenAPI document, asked in every way that schemathesis can think of.

Each operation meets a database of its own with a bit of everything in it, over real HTTP, where
everybody must log in. What is sent is made from the document: right and wrong values, missing and
unknown ones, other methods, and no token. CI has no time for all: of the cases that are of one kind
and about one parameter of an operation it asks the first and then every eighth, each time the
same, and once an operation what it says to no token and to a wrong one; `DOCUMENT_WHOLE` asks
all of them, `DOCUMENT_EXAMPLES` for more that are made up (`make soak` does both).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from access_kit import CHEAP
from api_kit import furnished, served
from hypothesis import HealthCheck, settings
from limits import RateLimitItemPerMinute
from schemathesis.generation.meta import CoveragePhaseData
from schemathesis.specs.openapi.checks import ignored_auth

import web_store
from corpusmith.api import rates
from corpusmith.api.serving import Serving
from corpusmith.service.passwords import Passwords
from corpusmith.service.studio import Studio
from corpusmith.store.open import open_store

EXAMPLES = int(os.environ.get("DOCUMENT_EXAMPLES", "2"))
WHOLE = bool(os.environ.get("DOCUMENT_WHOLE"))
EVERY = 8
ABOUT_RECORDS = r"^/api/v1/(records|removals|reviews|datasets|exports|checks)(/|$)"
ABOUT_TASKS = r"^/api/v1/(tasks|events|characters|scenarios|templates|connections)(/|$)"
"""Three files of tests share the operations."""
SLOW_S = 30
NO_SENSE = {"body_no_json", "spec_fields"}
"""Codes of what does not fit the document; all others tell of what it cannot say, and these of a
recipe's own fields (`the task:`)."""
BEYOND = {"value_error", "sample_source", "int_type"}
"""Problems that it cannot say either: one of two fields; that 1.0 is none of our whole numbers."""
SHARES = {"shares_zero", "shares_mixed", "shares_whole"}
"""And what shares must be together."""
thorough = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


operations = schemathesis.pytest.from_fixture("document")
"""Built by the worker that asks them and not by each that collects: that takes twenty seconds."""


@pytest.fixture(scope="module")
def document() -> Any:
    """The schema, as the application tells it."""
    folder = tempfile.mkdtemp(prefix="corpusmith-document-")
    store = open_store(f"sqlite:///{folder}/empty.db")
    try:
        with furnished(Serving(store=store, language="en")) as app:
            told = app.openapi()
    finally:
        store.close()
        shutil.rmtree(folder)
    schema = schemathesis.openapi.from_dict(told)
    # A cursor or a name may fit the document and be none: `refused_by_the_document` looks closer.
    schema.config.checks.positive_data_acceptance.expected_statuses += ["422"]
    # An endpoint that cannot be reached is told of: the document says where.
    schema.config.checks.not_a_server_error.expected_statuses += ["502"]
    schema.config.max_stream_events = 1
    return schema


@schemathesis.check
def refused_by_the_document(ctx: Any, response: Any, case: Any) -> None:
    """What fits the document is never refused as if it did not."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    error = response.json()["error"] if response.status_code == 422 else None
    if error is None or error["code"] not in NO_SENSE or error["message"].startswith("the task:"):
        return
    problems = error["details"].get("problems", ())
    assert problems and {one["type"] for one in problems} <= BEYOND | SHARES, response.text


@schemathesis.check
def in_one_shape(ctx: Any, response: Any, case: Any) -> None:
    """Every refusal has a code and a text, and never what the server thinks to itself."""
    if response.status_code >= 400:
        error = response.json()["error"]
        assert error["code"] and error["message"]
        assert "Traceback" not in response.text and "site-packages" not in response.text


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a bit of everything."""
    path = tmp_path_factory.mktemp("document") / "filled.db"
    web_store.filled(path).close()
    return path


class Places:
    """For each operation a server over a database of its own, a copy of the filled one."""

    def __init__(self, filled: Path, folder: Path) -> None:
        self._filled = filled
        self._folder = folder
        self._open = ExitStack()
        self._session = requests.Session()
        self._session.trust_env = False
        self._alike: Counter[object] = Counter()
        self._guarded = False
        self._about = ""
        self._url = ""
        self._token = ""

    def ask(self, case: schemathesis.Case) -> None:
        """Send it; all checks look at the answer."""
        if case.operation.label != self._about:
            self._move(case.operation.label)
        if self._was_asked(case):
            return
        answer = case.call_and_validate(
            base_url=self._url,
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=SLOW_S,
            session=self._session,
            excluded_checks=[ignored_auth] if self._guarded else [],
        )
        # After an answer like this the check has asked twice more: without a token, with a wrong
        # one.
        aimed = case.meta is not None and case.meta.generation.mode.is_positive
        self._guarded |= not WHOLE and aimed and answer.status_code < 300

    def close(self) -> None:
        """Let go of the last one."""
        self._session.close()
        self._open.close()

    def _was_asked(self, case: schemathesis.Case) -> bool:
        """Whether one much like it was asked of the operation."""
        told = case.meta.phase.data if case.meta else None
        if WHOLE or not isinstance(told, CoveragePhaseData):
            return False
        alike = (told.scenario, told.parameter_location, told.parameter)
        self._alike[alike] += 1
        return self._alike[alike] % EVERY != 1

    def _move(self, about: str) -> None:
        self._open.close()
        self._alike.clear()
        self._guarded = False
        self._about = about
        copy = shutil.copy(self._filled, self._folder / "copy.db")
        store = self._open.enter_context(closing(open_store(f"sqlite:///{copy}")))
        self._token = Studio.over(store, "en").tokens.add("all", scope="admin").secret
        serving = Serving(store=store, language="en", login=True, passwords=Passwords(CHEAP))
        app = self._open.enter_context(furnished(serving))
        client = self._open.enter_context(served(app))
        self._url = str(client.base_url).rstrip("/")
        # Else all that follows would only be asked to log in.
        as_all = {"Authorization": f"Bearer {self._token}"}
        assert client.get("/api/v1/users", headers=as_all).status_code == 200


@pytest.fixture
def places(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Places]:
    """Servers which refuse nobody for asking often."""
    # schemathesis 4 tells with it which operation is asked; pytest 9 names it otherwise.
    request.node._nodeid = request.node.nodeid
    monkeypatch.setenv("CORPUSMITH_HOME", str(tmp_path))
    for name in ("STRANGERS", "COSTLY", "GUESSES"):
        monkeypatch.setattr(rates, name, (RateLimitItemPerMinute(10**6),))
    with closing(Places(filled, tmp_path)) as found:
        yield found
