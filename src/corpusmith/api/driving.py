"""The thread that drives the chains of a server.

Owns: when it looks. Does not own: what is done then (`service/stored_chains.py`).
"""

from __future__ import annotations

import logging
import threading

from corpusmith.errors import StoreError
from corpusmith.places import uploads_only
from corpusmith.service.studio import Studio
from corpusmith.store.lease import owner_id
from corpusmith.store.store import SqlStore
from corpusmith.values import Language

log = logging.getLogger("corpusmith.api")

EVERY_S = 0.5
IDLE_S = 20.0
"""Without a chain that is to go on: another server may have left one."""


class Driver:
    """Looks at the chains that are to go on. Start it once, close it at the end."""

    def __init__(self, store: SqlStore, language: Language) -> None:
        self._store, self._language = store, language
        self._owner = owner_id()
        self._wake = threading.Event()
        self._ends = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="chains")

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    def close(self) -> None:
        """The step that is being made is made to its end; a server that is gone makes no other."""
        self._ends = True
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(10)

    def _run(self) -> None:
        with uploads_only():
            while not self._ends:
                self._wake.clear()
                busy = self._look()
                self._wake.wait(EVERY_S if busy else IDLE_S)

    def _look(self) -> bool:
        """Whether a chain is to go on."""
        studio = Studio.over(self._store, self._language)
        try:
            wanted = studio.stored_chains.wanted()
            for chain_id in wanted:
                if not self._ends:
                    studio.stored_chains.advance(chain_id, self._owner)
        except StoreError as error:
            log.warning("chains wait for the database: %s", error.reason)
            return False
        except Exception:
            log.exception("fault while driving chains")
            return False
        return bool(wanted)
