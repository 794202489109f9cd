"""Putting a dataset on a Hugging Face hub: the folder of `hf_layout.py`, in one commit.

Owns: the token's way from its variable to the hub, which old files go, and every answer of the hub
as an error of ours. Does not own: the folder; the hub's protocol (the library `huggingface_hub`,
the extra `hub`).
"""

from __future__ import annotations

import io
import logging
import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from corpusmith.contracts import Secret
from corpusmith.errors import CorpusmithError, UsageError
from corpusmith.service.export_files import Exported

Show = Callable[[int, int], None]
"""Told how many bytes of how many have been sent."""


def nothing_shown(sent: int, total: int) -> None:
    """Nobody looks."""


TOKEN = "HF_TOKEN"  # noqa: S105  the variable's name
MAIN = "main"
_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}")
_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,99}")
_OURS = re.compile(r"data/[A-Za-z0-9_]+-\d{5}-of-\d{5}\.parquet")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MOST_CAUSE = 300
_NETWORK = frozenset({"TransportError", "ConnectionError", "TimeoutError", "gaierror"})
"""Names of what the library's HTTP client raises: which client it is, its version says."""

_STATUS = {
    400: "push_bad_request",
    401: "push_unauthorised",
    402: "push_quota",
    403: "push_forbidden",
    404: "push_not_found",
    409: "push_conflict",
    412: "push_conflict",
    413: "push_quota",
    422: "push_bad_request",
    429: "push_rate_limited",
    507: "push_quota",
}
"""What a status of the hub means; from 500 on it is the hub's own trouble."""


class PushFailed(CorpusmithError):
    """The hub refused, or could not be reached. Data: `repo`, `endpoint`, `variable`, `cause`."""

    code = "push_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where on which hub. `endpoint` None: the library's own, or HF_ENDPOINT."""

    repo: str
    branch: str = MAIN
    private: bool = False
    endpoint: str | None = None
    token_env: str = TOKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What stands on the hub now."""

    repo: str
    branch: str
    url: str
    """The dataset's page."""
    commit: str
    files: Sequence[str]
    removed: Sequence[str]
    """Files of an earlier push that this one replaces."""
    export: Exported


def ready(target: Target, given: Secret | None = None) -> Secret:
    """The token, `given` or that of its variable, if everything that can be known before the upload
    is right. Raises UsageError."""
    if not _REPO.fullmatch(target.repo) or ".." in target.repo or "--" in target.repo:
        raise UsageError("push_repo", repo=target.repo[:100])
    if not _BRANCH.fullmatch(target.branch) or ".." in target.branch:
        raise UsageError("push_branch", branch=target.branch[:100])
    _refuse_endpoint(target.endpoint or os.environ.get("HF_ENDPOINT"))
    token = os.environ.get(target.token_env, "") if given is None else given.reveal()
    token = token.strip()
    if not token:
        raise UsageError("push_no_token", variable=target.token_env)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError("push_bad_token", variable=target.token_env)
    _library()
    return Secret(token)


def upload(folder: Path, target: Target, token: Secret, message: str, show: Show) -> Any:
    """All files of `folder` in one commit: all of them are there then, or none is.

    Returns (commit's hash, page, files, removed files). Raises PushFailed, UsageError.
    """
    hub = _library()
    with _translated(hub, target, token), ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # the hub's remarks on a card: no error, and not ours
        api = hub.HfApi(endpoint=target.endpoint, token=token.reveal(), library_name="corpusmith")
        where = {"repo_id": target.repo, "repo_type": "dataset"}
        private = True if target.private else None
        page = api.create_repo(**where, private=private, exist_ok=True)
        if target.branch != MAIN:
            api.create_branch(**where, branch=target.branch, exist_ok=True)
        there = api.repo_info(**where, revision=target.branch)
        if target.private and there.private is False:
            raise UsageError("push_public", repo=target.repo)
        names = sorted(one.relative_to(folder).as_posix() for one in _files(folder))
        old = sorted(
            one.rfilename
            for one in there.siblings or ()
            if _OURS.fullmatch(one.rfilename) and one.rfilename not in names
        )
        sent = _Sent(sum((folder / name).stat().st_size for name in names), show)
        adds = [
            hub.CommitOperationAdd(name, stack.enter_context(_Upload(folder / name, sent)))
            for name in names
        ]
        sent.begin()
        commit = api.create_commit(
            **where,
            operations=[*adds, *(hub.CommitOperationDelete(name) for name in old)],
            commit_message=message,
            revision=target.branch,
            # Whoever wrote in the meantime is not overwritten: the hub answers 412.
            parent_commit=there.sha if _COMMIT.fullmatch(there.sha or "") else None,
        )
        return commit.oid, str(page), names, old


def _files(folder: Path) -> Iterator[Path]:
    return (one for one in folder.rglob("*") if one.is_file())


# ---------------------------------------------------------------- progress


class _Sent:
    """How much has been sent. What is read before `begin` is read for its digest."""

    def __init__(self, total: int, show: Show) -> None:
        self._total = total
        self._show = show
        self._sent = 0
        self._begun = False

    def begin(self) -> None:
        self._begun = True

    def add(self, size: int) -> None:
        if self._begun and size:
            self._sent = min(self._total, self._sent + size)
            self._show(self._sent, self._total)


class _Upload(io.BufferedReader):
    """A file that tells what is read of it.

    The library sends a path by a protocol of chunks of its own, which only its own hub speaks, and
    a file object by Git LFS, which every hub does.
    """

    def __init__(self, path: Path, sent: _Sent) -> None:
        super().__init__(io.FileIO(path))
        self._told = sent

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(-1 if size is None else size)
        self._told.add(len(data))
        return data


# ---------------------------------------------------------------- what can be wrong


def _library() -> Any:
    try:
        hub: Any = import_module("huggingface_hub")
    except ModuleNotFoundError as error:
        raise UsageError("push_extra_missing") from error
    # They draw bars and announce each retry where our own progress is.
    import_module("huggingface_hub.utils").disable_progress_bars()
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
    return hub


def _refuse_endpoint(endpoint: str | None) -> None:
    """A token goes over TLS, or not further than this machine."""
    if endpoint is None:
        return
    try:
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https") or parts.username or parts.password:
        raise UsageError("push_endpoint", endpoint=endpoint.rpartition("@")[2][:100])
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise UsageError("push_endpoint_plain", endpoint=endpoint[:100])


@contextmanager
def _translated(hub: Any, target: Target, token: Secret) -> Iterator[None]:
    """Inside, whatever the library raises is an error of ours that does not hold the token."""
    try:
        yield
    except CorpusmithError:
        raise
    # A hub may answer anything, and so is what the library makes of it.
    except Exception as error:  # noqa: BLE001
        raise PushFailed(
            _code(error),
            repo=target.repo,
            branch=target.branch,
            endpoint=urlsplit(target.endpoint or hub.constants.ENDPOINT).netloc,
            variable=target.token_env,
            cause=_cause(error, token),
        ) from None  # its requests hold the token


def _code(error: Exception) -> str:
    for one in _chain(error):
        status = getattr(getattr(one, "response", None), "status_code", None)
        if isinstance(status, int):
            usual = "push_server" if status >= 500 else "push_failed"
            return _STATUS.get(status, usual)
        if _NETWORK & {kind.__name__ for kind in type(one).__mro__}:
            return "push_unreachable"
    return "push_failed"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what brought it about: of a failed upload the library says so only there."""
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__


def _cause(error: Exception, token: Secret) -> str:
    """What the hub said, else the library, on one line and without the token."""
    said = [getattr(one, "server_message", None) for one in _chain(error)]
    text = next((str(one) for one in said if one), "") or str([*_chain(error)][-1])
    line = " ".join(text.replace(token.reveal(), "***").split())
    return line[:_MOST_CAUSE] or type(error).__name__
