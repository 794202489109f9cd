"""Putting a dataset on a hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field, SecretStr

from corpusmith.api.access import needs
from corpusmith.api.asking import StudioOf
from corpusmith.api.jobs import JOB, Job, Run, StartJob
from corpusmith.api.router import rest
from corpusmith.api.routes.exports import Rows
from corpusmith.contracts import Secret
from corpusmith.service.studio import Studio

router = rest("/pushes", tags=["exports"])


class PushBody(Rows):
    """What goes where. The hub's address is the server's own setting."""

    format: str = Field(default="hf", pattern="^hf$")
    repo: str = Field(min_length=3, max_length=200, examples=["me/customer-chats"])
    branch: str = Field(default="main", min_length=1, max_length=100)
    private: bool = False
    message: str | None = Field(default=None, min_length=1, max_length=500)
    token: SecretStr | None = Field(
        default=None,
        description="Of the hub, for this push alone: it is not kept. null: the server's own.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """What stands on the hub now."""

    repo: str
    branch: str
    url: str
    commit: str
    files: Sequence[str]
    removed: Sequence[str]
    records: int
    rows: int


@dataclass(frozen=True, slots=True)
class _Push:
    """Does it; the token is in no repr."""

    body: PushBody

    def __call__(self, studio: Studio, run: Run) -> PushResult:
        body = self.body
        wanted = body.wanted()
        del wanted["form"]
        token = body.token
        done = studio.exports.push(
            body.repo,
            branch=body.branch,
            private=body.private,
            message=body.message,
            token=None if token is None else Secret(token.get_secret_value()),
            show=lambda sent, total: run.show(sent, total, "bytes"),
            **wanted,
        )
        return PushResult(
            repo=done.repo,
            branch=done.branch,
            url=done.url,
            commit=done.commit,
            files=done.files,
            removed=done.removed,
            records=done.export.records,
            rows=done.export.rows,
        )


@router.post("", responses=JOB, dependencies=[needs("edit")])
def push(start: StartJob, studio: StudioOf, body: PushBody) -> Job:
    """Put records on a Hugging Face hub, all files in one commit. Its result: `PushResult`."""
    studio.exports.count(body.selection())
    return start("push", _Push(body))
