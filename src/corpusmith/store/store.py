"""The store: one object with an attribute per noun, and what the engine needs of it.

Owns: putting the parts together. Does not own: any statement (each noun's own file).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from corpusmith.contracts import Beat, Earlier, Finished, Lease, Quota
from corpusmith.errors import StoreError
from corpusmith.store.audit import Audit
from corpusmith.store.call_log import CallLog
from corpusmith.store.chains import Chains
from corpusmith.store.characters import Characters
from corpusmith.store.connections import Connections
from corpusmith.store.database import Database
from corpusmith.store.dataset_numbers import NumbersOfDatasets
from corpusmith.store.datasets import Datasets
from corpusmith.store.figures import Watching
from corpusmith.store.imports import Imports
from corpusmith.store.journal import Journal
from corpusmith.store.lease import Leases
from corpusmith.store.live import Lives, Workers
from corpusmith.store.modes import Modes
from corpusmith.store.overview import Overview
from corpusmith.store.progress import Progress
from corpusmith.store.pruning import Pruning
from corpusmith.store.queue import Queue
from corpusmith.store.record_pages import RecordPages
from corpusmith.store.record_text import RecordText
from corpusmith.store.records import Records
from corpusmith.store.removals import Removals
from corpusmith.store.reports import Reports
from corpusmith.store.review_numbers import ReviewNumbers
from corpusmith.store.review_queue import ReviewQueues
from corpusmith.store.review_undo import ReviewUndo
from corpusmith.store.reviews import Reviews
from corpusmith.store.scenarios import Scenarios
from corpusmith.store.sessions import Sessions
from corpusmith.store.settings import Settings
from corpusmith.store.task_states import TaskStates
from corpusmith.store.tasks import Tasks
from corpusmith.store.templates import Templates
from corpusmith.store.tokens import Tokens
from corpusmith.store.transaction import SqlTransaction, Statements
from corpusmith.store.users import Users
from corpusmith.store.versions import Versions
from corpusmith.values import Json, Reply, Spend, Status, StructuredMode


class SqlStore:
    """`contracts.Store` over SQLite or Postgres; made by `open_store`. Usable from any thread.

    While a `transaction()` is open, every other write of this object waits for it: on an event
    loop, make such writes (`renew`, the nouns') from another thread, or the transaction's own next
    step may never get its turn. (`remember_mode` never waits.)
    Every method may raise StoreError: the database is away, full, read-only or damaged.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leases = Leases(database)
        self._modes = Modes(database)
        self._progress = Progress(database)
        self.inline_io = database.is_sqlite
        self.audit = Audit(database)
        self.call_log = CallLog(database)
        self.chains = Chains(database)
        self.characters = Characters(database)
        self.connections = Connections(database)
        self.dataset_numbers = NumbersOfDatasets(database)
        self.datasets = Datasets(database)
        self.imports = Imports(database)
        self.journal = Journal(database)
        self.overview = Overview(database)
        self.lives = Lives(database)
        self.queue = Queue(database)
        self.pruning = Pruning(database)
        self.record_pages = RecordPages(database)
        self.record_text = RecordText(database)
        self.records = Records(database)
        self.reports = Reports(database)
        self.review_numbers = ReviewNumbers(database)
        self.review_queues = ReviewQueues(database)
        self.review_undo = ReviewUndo(database)
        self.reviews = Reviews(database)
        self.removals = Removals(database)
        self.scenarios = Scenarios(database)
        self.sessions = Sessions(database)
        self.settings = Settings(database)
        self.task_states = TaskStates(database)
        self.tasks = Tasks(database)
        self.templates = Templates(database)
        self.tokens = Tokens(database)
        self.users = Users(database)
        self.versions = Versions(database)
        self.watching = Watching(database)
        self.workers = Workers(database)

    @cached_property
    def _statements(self) -> Statements:
        """Only what makes records needs them, and they take a few milliseconds."""
        return Statements(self._database)

    @property
    def url(self) -> str:
        """For people: without the password."""
        return self._database.shown_url

    @property
    def database(self) -> Database:
        """For what concerns all tables at once: backups, figures of the whole."""
        return self._database

    def close(self) -> None:
        """Write what is left, and give back all connections. May be called twice."""
        # A database that is gone loses a hint, and must not hide the error that brought us here.
        with contextlib.suppress(StoreError):
            self._modes.flush()
        self._database.close()

    # ------------------------------------------------------------ what the engine needs

    def find_calls(self, keys: Sequence[bytes]) -> dict[bytes, Reply]:
        return self.journal.find(keys)

    def transaction(self) -> SqlTransaction:
        return SqlTransaction(self._database, self._statements, self._modes)

    def acquire(
        self, task_id: int, owner: str, ttl_s: float, now: float, *, asked: bool = False
    ) -> Lease:
        return self._leases.acquire(task_id, owner, ttl_s, now, asked=asked)

    def renew(self, lease: Lease, ttl_s: float, now: float, live: Json = None) -> Beat:
        return self._leases.renew(lease, ttl_s, now, live)

    def release(
        self,
        lease: Lease,
        status: Status,
        cause: Mapping[str, Json] | None,
        *,
        again: bool = False,
    ) -> None:
        self._leases.release(lease, status, cause, again=again)

    def quotas(self, task_id: int) -> list[Quota]:
        return self._progress.quotas(task_id)

    def spend(self, task_id: int) -> Spend:
        return self._progress.spend(task_id)

    def finished(self, task_id: int) -> Iterator[Finished]:
        return self._progress.finished(task_id)

    def earlier(self, task_id: int) -> Iterator[Earlier]:
        return self.records.earlier(task_id)

    def mode(self, endpoint: str, model: str) -> StructuredMode | None:
        return self._modes.get(endpoint, model)

    def remember_mode(self, endpoint: str, model: str, mode: StructuredMode) -> None:
        self._modes.set(endpoint, model, mode)
