"""Settings from the environment, as one table. Later tables of the house read it; nobody else
reads the environment (a connection's key variable apart, which `service/keys.py` reads).

Owns: names, defaults, help. Does not own: what a task or a connection sets for itself.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting. `help_key` is its text in the catalog."""

    name: str
    variable: str
    default: str | None
    help: str


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
        name="secret_key",
        variable="CORPUSMITH_SECRET_KEY",
        default=None,
        help="Key that encrypts stored API keys (32 bytes, base64); default: secret.key in home.",
    ),
)


def setting(name: str) -> str | None:
    """The value of a setting, or its default. An empty variable counts as not set."""
    found = next(one for one in SETTINGS if one.name == name)
    return os.environ.get(found.variable) or found.default


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
