"""Settings that the server keeps in its database."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from corpusmith.api.access import needs
from corpusmith.api.asking import Body, Page, StudioOf
from corpusmith.api.router import rest
from corpusmith.service.server_settings import ServerSetting
from corpusmith.values import Language

router = rest("/settings", tags=["settings"])

Days = Annotated[int | None, Field(ge=0, le=36_500)]


class SettingsChange(Body):
    """What is given changes; null: back to the default."""

    private_endpoints: bool | None = Field(default=None, examples=[True])
    journal_days: Days = Field(default=None, examples=[90])
    audit_days: Annotated[int | None, Field(ge=1, le=36_500)] = Field(default=None, examples=[365])
    server_language: Language | None = Field(default=None, examples=["zh"])


@router.get("", dependencies=[needs("admin")])
def list_settings(studio: StudioOf) -> Page[ServerSetting]:
    """All, each with its value, where that comes from, its range and what it does."""
    found = studio.settings.list()
    return Page(items=found, total=len(found))


@router.patch("", dependencies=[needs("admin")])
def change_settings(studio: StudioOf, body: SettingsChange) -> Page[ServerSetting]:
    """Change some. 422 for one that the environment of the server sets."""
    found = studio.settings.change(body.model_dump(exclude_unset=True))
    return Page(items=found, total=len(found))
