"""Use-cases of the backups that lie in the data folder of a server.

Owns: their folder, their names, what one holds beside what is here now. Does not own: writing one
(`backups.py`), reading one (`archive.py`), putting one back (`restoring.py`).
A name that comes from outside is only ever compared with the names that are there: it is no path.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from corpusmith.config import home
from corpusmith.disk import sync_folder
from corpusmith.errors import Conflict, CorpusmithError, NotFound, SpecError
from corpusmith.places import given_output, upload_path
from corpusmith.service.archive import Contents, opened
from corpusmith.service.backups import KeyPlace, Show, backup, bring, disk_errors, nothing
from corpusmith.service.uploads import forget
from corpusmith.store.dump import looking
from corpusmith.store.replacing import refuse_running
from corpusmith.store.schema import REVISIONS

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

Origin = Literal["made", "uploaded", "before_restore", "before_upgrade", "other"]
_ORIGINS: tuple[tuple[str, Origin], ...] = (
    ("corpusmith-", "made"),
    ("uploaded-", "uploaded"),
    ("before-restore-", "before_restore"),
    ("before-upgrade-", "before_upgrade"),
)
SHOWN = (
    *("datasets", "records", "tasks", "calls", "characters", "scenarios", "templates"),
    *("connections", "users"),
)
"""Tables whose rows mean something to people; the others are counted together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBackup:
    """A file in the folder of backups."""

    name: str
    bytes: int
    made_at: str
    """When the file was written: ISO 8601, UTC."""
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Rows of one kind: in the backup, and here now."""

    table: str
    """One of `SHOWN`; `others`: all other tables together."""
    there: int
    here: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a backup holds, beside what it would take the place of."""

    file: KeptBackup
    version: str
    created_at: str
    database: str
    key: KeyPlace
    uploads: int
    users: int
    tables: Sequence[Beside]
    obstacle: CorpusmithError | None
    """Why it cannot be put back here and now; None: it can."""


class KeptBackups:
    """`studio.backups`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def list(self) -> Sequence[KeptBackup]:
        """All, the newest first."""
        found = [one for path in _folder().glob("*.zip") if (one := _seen(path)) is not None]
        return sorted(found, key=lambda one: (one.made_at, one.name), reverse=True)

    def get(self, name: str) -> KeptBackup:
        """Raises NotFound."""
        found = next((one for one in self.list() if one.name == name), None)
        if found is None:
            raise NotFound("unknown_backup", kind="backup", name=name[:80])
        return found

    def path(self, name: str) -> Path:
        """Where it lies. Raises NotFound."""
        return _folder() / self.get(name).name

    def save(self, name: str, to: str | Path) -> Path:
        """Bring one to you: a new file `to`, whole or not at all, readable by its owner alone.

        Raises NotFound; UsageError when something is there already, or what the disk says;
        DiskFull.
        """
        with self.path(name).open("rb") as kept:
            return bring(iter(lambda: kept.read(1 << 18), b""), given_output(to).expanduser())

    def make(self, *, show: Show = nothing) -> KeptBackup:
        """A new one, without the key that opens stored API keys. Raises DiskFull, UsageError,
        StoreError."""
        file = _new("corpusmith")
        backup(self._studio.store.database, file, show=show)
        return self.get(file.name)

    def take(self, upload: str) -> KeptBackup:
        """Out of an upload, which is then none any more: else each backup would hold those that
        were put back before. Raises NotFound, and what `opened` raises of what is no backup: then
        nothing of it stays."""
        source = upload_path(upload)
        try:
            with opened(source):
                pass
            file = _new("uploaded")
            with disk_errors(file):
                os.replace(source, file)
                os.chmod(file, 0o600)
                os.utime(file)
                sync_folder(file.parent)
        finally:
            forget(upload)
        return self.get(file.name)

    def look(self, name: str) -> Look:
        """What is in it; its members are not read, a restore does that. Raises NotFound, and as
        `opened` does."""
        file = self.get(name)
        with opened(_folder() / file.name) as archive:
            contents = archive.contents
        with looking(self._studio.store.database) as now:
            here = {table.name: table.rows for table in now.tables}
        there = {one.about: one.rows for one in contents.tables}
        uploads = sum(one.kind == "upload" and "/" in one.about for one in contents.members)
        return Look(
            file=file,
            version=contents.version,
            created_at=contents.created_at,
            database=contents.database,
            key=contents.key,
            uploads=uploads,
            users=there.get("users", 0),
            tables=beside(there, here),
            obstacle=self._obstacle(contents),
        )

    def delete(self, name: str) -> None:
        """Raises NotFound."""
        path = self.path(name)
        with disk_errors(path):
            path.unlink(missing_ok=True)

    def _obstacle(self, contents: Contents) -> CorpusmithError | None:
        if contents.revision != REVISIONS[-1]:
            return SpecError("restore_older", version=contents.version)
        try:
            with self._studio.store.database.read() as connection:
                refuse_running(connection, time.time())
        except Conflict as error:
            return error
        return None


def beside(there: Mapping[str, int], here: Mapping[str, int]) -> Sequence[Beside]:
    """Row counts of both, those of `SHOWN` by name and the rest in one line: they add up."""
    found = [Beside(table=one, there=there.get(one, 0), here=here.get(one, 0)) for one in SHOWN]
    rest = Beside(
        table="others",
        there=sum(there.values()) - sum(one.there for one in found),
        here=sum(here.values()) - sum(one.here for one in found),
    )
    return [*found, rest]


def _folder() -> Path:
    return home() / "backups"


def _new(what: str) -> Path:
    """A name that is free. Raises UsageError, DiskFull."""
    folder = _folder()
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stem = f"{what}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    names = (f"{stem}.zip", *(f"{stem}-{number}.zip" for number in range(2, 1000)))
    return next(folder / one for one in names if not os.path.lexists(folder / one))


def _seen(path: Path) -> KeptBackup | None:
    """None: it is gone, or is no file of its own."""
    with suppress(OSError):
        if path.is_symlink() or not path.is_file():
            return None
        facts = path.stat()
        fitting = [kind for begin, kind in _ORIGINS if path.name.startswith(begin)]
        origin: Origin = fitting[0] if fitting else "other"
        moment = datetime.fromtimestamp(facts.st_mtime, UTC).isoformat(timespec="seconds")
        return KeptBackup(name=path.name, bytes=facts.st_size, made_at=moment, origin=origin)
    return None
