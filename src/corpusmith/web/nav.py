"""Which groups of pages there are, in the order of the navigation.

Owns: the table. Does not own: any page (`pages/`, one module a group with a `router`).
A group that is not in the table has no route and no entry: a page is shown when it is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from corpusmith.api.access import Scope

Section = Literal["work", "material", "system"]
SECTIONS: tuple[Section, ...] = get_args(Section)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Pages that belong together."""

    name: str
    """The module in `web/pages/`; its entry says `web.nav.<name>`."""
    path: str
    """Of its first page; of all its pages, the beginning."""
    icon: str = ""
    section: Section | None = None
    """Under which heading the entry stands; None: it has no entry."""
    scope: Scope = "read"
    """Who sees the entry."""


PAGES = (
    Group(name="home", path="/", icon="home", section="work"),
    Group(name="feedback", path="/generate/feedback"),
    Group(name="generate", path="/generate", icon="sparkles", section="work", scope="edit"),
    Group(name="tasks", path="/tasks", icon="list-check", section="work"),
    Group(name="datasets", path="/datasets", icon="database", section="work"),
    Group(name="review", path="/review", icon="checkbox", section="work", scope="review"),
    Group(name="characters", path="/characters", icon="user-circle", section="material"),
    Group(name="scenarios", path="/scenarios", icon="map-pin", section="material"),
    Group(name="templates", path="/templates", icon="template", section="material"),
    Group(name="chat", path="/characters"),
    Group(name="connections", path="/connections", icon="plug-connected", section="system"),
    Group(name="settings", path="/settings", icon="settings", section="system"),
    Group(name="records", path="/records"),
    Group(name="quality", path="/datasets"),
    Group(name="reports", path="/datasets"),
    Group(name="evaluations", path="/evaluations"),
    Group(name="transfer", path="/datasets/-/import"),
    Group(name="login", path="/login"),
)
