"""Chains: several tasks, each of which may take the records of those before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, cast

from fastapi import Request
from pydantic import Field

from corpusmith.api.access import needs
from corpusmith.api.asking import After, Body, Limit, Page, StudioOf, page_of, place_in
from corpusmith.api.driving import Driver
from corpusmith.api.router import rest
from corpusmith.api.selecting import Name
from corpusmith.errors import SpecError, UsageError
from corpusmith.service.stored_chains import ChainView, Wish
from corpusmith.service.yaml_file import fields_in

router = rest("/chains", tags=["chains"])

EXAMPLE: Mapping[str, Any] = {
    "name": "评分后取样",
    "steps": [
        {"name": "score", "recipe": "evaluate", "of": "dataset:客服对话", "rubric": "dialogue"},
        {
            "name": "draw",
            "recipe": "sample",
            "total": 100,
            "categories": [{"name": "all", "share": 1, "dataset": "客服对话"}],
        },
    ],
}


class ChainBody(Body):
    """A chain, by its fields or as the text of a YAML file."""

    chain: Annotated[Mapping[str, Any], Field(max_length=50)] | None = Field(
        default=None,
        description="As in a chain file: `name`, `steps`, and defaults of all steps.",
        examples=[EXAMPLE],
    )
    yaml: str | None = Field(default=None, max_length=1_000_000)
    name: Name | None = Field(default=None, description="In place of the chain's own.")
    again: bool = Field(
        default=False,
        description="From the beginning, with new tasks. The chain that was there is stopped; what "
        "its imports and samples made is made anew in their place.",
    )

    def fields(self) -> dict[str, Any]:
        """As the service takes it. Raises UsageError, SpecError."""
        if (self.chain is None) == (self.yaml is None):
            raise UsageError("chain_one_form")
        found = dict(self.chain) if self.chain is not None else fields_in(str(self.yaml))
        if "steps" not in found:
            raise SpecError("chain_no_steps")
        return {**found, "name": self.name or found.get("name") or "chain"}


class Going(Body):
    """How far."""

    steps: Wish = Field(default="all", description="`next`: one step; `all`: to the end.")


@router.get("", dependencies=[needs("read")])
def list_chains(studio: StudioOf, limit: Limit = 20, after: After = None) -> Page[ChainView]:
    """The chains of this server, the newest first, with their steps' tasks."""
    found: Sequence[ChainView] = studio.stored_chains.list(
        limit=limit + 1, before=place_in(after, int)
    )
    return page_of(found, limit, lambda one: one.id)


@router.post("", status_code=201, dependencies=[needs("edit")])
def add_chain(studio: StudioOf, body: ChainBody) -> ChainView:
    """Check a chain whole and keep it; nothing runs yet. The same name and steps again: the chain
    that there is, with the steps that are done."""
    return studio.stored_chains.add(body.fields(), again=body.again)


@router.get("/{number:int}", dependencies=[needs("read")])
def get_chain(studio: StudioOf, number: int) -> ChainView:
    """A chain, how far it is, and the task of each step."""
    return studio.stored_chains.get(number)


@router.post("/{number:int}/run", dependencies=[needs("edit")])
def run_chain(request: Request, studio: StudioOf, number: int, body: Going) -> ChainView:
    """Go on: each step's task is made when the one before has finished, and run by the workers. A
    step that ends early stops the chain; the same again goes on. 409 when a newer chain has its
    name."""
    found = studio.stored_chains.run(number, body.steps)
    cast(Driver, request.app.state.driver).wake()
    return found


@router.post("/{number:int}/stop", dependencies=[needs("edit")])
def stop_chain(studio: StudioOf, number: int) -> ChainView:
    """Make no further step, and pause the task of the present one."""
    return studio.stored_chains.stop(number)
