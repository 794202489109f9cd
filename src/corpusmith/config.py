"""Settings of this process, as one table. Later tables of the house read it; nobody else reads
the environment (a connection's key variable apart, which `service/keys.py` reads).

Owns: names, ranges, defaults; that the environment wins over what a database holds. Does not own:
reading the database (`service/server_settings.py`), what a task or a connection sets for itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting. A `kind` means: it may be stored in the database too, and its text in the
    catalog is `setting.<name>`."""

    name: str
    variable: str
    default: str | None
    help: str
    kind: Literal["switch", "days", "language"] | None = None
    """`switch`: 1 or 0. `days`: a whole number. `language`: zh or en."""
    least: int = 0
    most: int = 0
    """Of days."""


SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="home",
        variable="CORPUSMITH_HOME",
        default=None,
        help="Folder for the database and the key file; default: the user's data directory.",
    ),
    Setting(
        name="database_url",
        variable="CORPUSMITH_DATABASE_URL",
        default=None,
        help="SQLAlchemy URL, sqlite:///… or postgresql://…; default: corpusmith.db in home.",
    ),
    Setting(
        name="lang",
        variable="CORPUSMITH_LANG",
        default=None,
        help="Language of messages: zh or en; default: the locale.",
    ),
    Setting(
        name="reviewer",
        variable="CORPUSMITH_REVIEWER",
        default=None,
        help="Who reviews, unless --reviewer says so; default: the login name.",
    ),
    Setting(
        name="token",
        variable="CORPUSMITH_TOKEN",
        default=None,
        help="Token that Studio sends to a server: Studio('https://…').",
    ),
    Setting(
        name="secret_key",
        variable="CORPUSMITH_SECRET_KEY",
        default=None,
        help="Key that encrypts stored API keys (32 bytes, base64); default: secret.key in home.",
    ),
    Setting(
        name="private_endpoints",
        variable="CORPUSMITH_PRIVATE_ENDPOINTS",
        default="1",
        help="0: calls to addresses of this machine and of private networks are refused.",
        kind="switch",
    ),
    Setting(
        name="max_upload_mb",
        variable="CORPUSMITH_MAX_UPLOAD_MB",
        default="1024",
        help="The largest file that may be uploaded, in MB.",
    ),
    Setting(
        name="journal_days",
        variable="CORPUSMITH_JOURNAL_DAYS",
        default="0",
        help="After how many days the server forgets calls of ended tasks; 0: never.",
        kind="days",
        most=36_500,
    ),
    Setting(
        name="audit_days",
        variable="CORPUSMITH_AUDIT_DAYS",
        default="365",
        help="For how many days the server knows who did what.",
        kind="days",
        least=1,
        most=36_500,
    ),
    Setting(
        name="server_language",
        variable="CORPUSMITH_SERVER_LANGUAGE",
        default=None,
        help="Language of pages for browsers that ask for none; default: the server's own.",
        kind="language",
    ),
)
OFF = ("0", "false", "no", "off")
"""Ways to say no to a switch."""
STORABLE = tuple(one for one in SETTINGS if one.kind is not None)

_BY_NAME = {one.name: one for one in SETTINGS}
_stored: dict[str, str] = {}


def named(name: str) -> Setting:
    """The setting of this name. Raises KeyError."""
    return _BY_NAME[name]


def setting(name: str) -> str | None:
    """The environment's value of a setting, else the database's, else the default.

    An empty variable counts as not set.
    """
    found = named(name)
    return os.environ.get(found.variable) or _stored.get(name) or found.default


def adopt(stored: Mapping[str, str]) -> None:
    """From now on these are what the database holds. A process serves one database: of several,
    the one that was read last counts."""
    _stored.clear()
    _stored.update(stored)


def private_endpoints() -> bool:
    """Whether calls may go to this machine and to private networks."""
    return setting("private_endpoints") not in OFF


def days(name: str) -> int:
    """A setting of this kind. What is no number counts as its default."""
    text = setting(name) or ""
    return int(text) if text.isdecimal() else int(named(name).default or 0)


def home() -> Path:
    """The data folder; not created here."""
    chosen = setting("home")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("corpusmith", appauthor=False))


def database_url(wish: str | None = None) -> str:
    """`wish` (from `--db`), else the environment, else SQLite in `home()`."""
    url = wish or setting("database_url")
    return url or f"sqlite:///{home() / 'corpusmith.db'}"
