"""A Studio whose nouns are a server's.

Owns: which class is which noun. Does not own: any noun.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from corpusmith.config import setting
from corpusmith.service.passwords import PASSWORDS
from corpusmith.service.remote import (
    chains,
    endpoints,
    exporting,
    house,
    keeping,
    library,
    making,
    records,
    tasks,
)
from corpusmith.service.remote.not_remote import NOUNS_NOT_REMOTE, NotHere, refuse
from corpusmith.service.remote.wire import Wire
from corpusmith.values import Language

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio


NOUNS: dict[str, type] = {
    "audit": house.Audit,
    "backups": keeping.Backups,
    "calls": tasks.Calls,
    "catalogue": house.Catalogue,
    "chains": chains.Chains,
    "characters": library.Characters,
    "checking": making.Checking,
    "cleaning": keeping.Cleaning,
    "connections": endpoints.Connections,
    "datasets": library.Datasets,
    "domains": library.Domains,
    "evaluations": records.Evaluations,
    "exports": exporting.Exports,
    "feedback": making.Feedback,
    "imports": making.Imports,
    "kept_reports": keeping.KeptReports,
    "overview": tasks.Overview,
    "records": records.Records,
    "reports": making.Reports,
    "retention": keeping.Retention,
    "reviews": records.Reviews,
    "rounds": making.Rounds,
    "sampling": making.Sampling,
    "scenarios": library.Scenarios,
    "settings": house.ServerSettings,
    "stored_chains": tasks.StoredChains,
    "task_previews": tasks.TaskPreviews,
    "task_views": tasks.TaskViews,
    "tasks": tasks.Tasks,
    "templates": library.Templates,
    "tokens": house.Tokens,
    "uploads": house.Uploads,
    "users": house.Users,
    "watch": house.Watch,
    "workers": house.Workers,
}
for _noun, _kind in NOUNS.items():
    refuse(_noun, _kind)


class NoStore(NotHere):
    """In place of the store: it ends the connections to the server."""

    def __init__(self, wire: Wire) -> None:
        super().__init__("store")
        self._wire = wire

    def close(self) -> None:
        """May be called twice."""
        self._wire.close()


def connect(studio: Studio, url: str, token: str | None, language: Language) -> None:
    """Give `studio` the nouns of the server at `url`. Nothing is asked yet. Raises UsageError.

    `token` None: CORPUSMITH_TOKEN, else none.
    """
    wire = Wire(url, token or setting("token"), language)
    anything: Any = studio
    anything.language = language
    anything.store = NoStore(wire)
    anything.passwords = PASSWORDS
    anything._limiters = None
    for noun in NOUNS_NOT_REMOTE:
        setattr(studio, noun, NotHere(noun))
    for noun, kind in NOUNS.items():
        setattr(studio, noun, kind(studio, wire))
