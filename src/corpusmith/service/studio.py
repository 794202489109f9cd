"""The one door to everything: `Studio`. The command line, Python, REST and the web all use it.

Owns: wiring. Does not own: any use-case (one file a noun beside this one).
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from corpusmith.config import database_url
from corpusmith.messages import language_of
from corpusmith.service.about import Catalogue
from corpusmith.service.audit import Audit
from corpusmith.service.calls import Calls
from corpusmith.service.chains import Chains
from corpusmith.service.characters import Characters
from corpusmith.service.checking import Checking
from corpusmith.service.cleaning import Cleaning
from corpusmith.service.connections import Connections
from corpusmith.service.domains import Domains
from corpusmith.service.evaluations import Evaluations
from corpusmith.service.exports import Exports
from corpusmith.service.feedback import Feedback
from corpusmith.service.figures import Watch
from corpusmith.service.imports import Imports
from corpusmith.service.kept_backups import KeptBackups
from corpusmith.service.kept_reports import KeptReports
from corpusmith.service.library import Datasets, Scenarios
from corpusmith.service.logins import Logins
from corpusmith.service.overview import Overview
from corpusmith.service.passwords import PASSWORDS, Passwords
from corpusmith.service.records import Records
from corpusmith.service.remote import is_address
from corpusmith.service.reports import Reports
from corpusmith.service.retention import Retention
from corpusmith.service.reviews import Reviews
from corpusmith.service.rounds import Rounds
from corpusmith.service.sampling import Sampling
from corpusmith.service.sealing import seal_old
from corpusmith.service.server_settings import ServerSettings, adopt
from corpusmith.service.stored_chains import StoredChains
from corpusmith.service.task_lists import TaskViews
from corpusmith.service.task_previews import TaskPreviews
from corpusmith.service.tasks import Result, Show, Tasks
from corpusmith.service.templates import Templates
from corpusmith.service.tokens import Tokens
from corpusmith.service.uploads import Uploads
from corpusmith.service.users import Users
from corpusmith.service.workers import Workers
from corpusmith.store.open import open_store
from corpusmith.store.store import SqlStore
from corpusmith.values import Language

if TYPE_CHECKING:
    from corpusmith.engine.limits import LimiterPool


class Studio:
    """Corpusmith from Python.

    >>> with Studio() as studio:  # doctest: +SKIP
    ...     result = studio.generate(
    ...         characters=["cards/lin.json"],
    ...         scenarios={"日常对话": 2, "情感交流": 1},
    ...         count=100,
    ...         turns=3,
    ...         connection={"base_url": "http://127.0.0.1:8099/v1", "model": "any"},
    ...         output="out.json",
    ...     )
    ...     print(result.counts)

    Every method that waits for an endpoint has a twin ending in `_async`; all others only touch
    the database. Use one Studio in one thread at a time.
    """

    def __init__(
        self,
        db: str | None = None,
        *,
        language: Language | None = None,
        token: str | None = None,
    ) -> None:
        """`db`: SQLAlchemy URL; None: CORPUSMITH_DATABASE_URL, else SQLite in the data folder.
        `http://…`, `https://…`: a server, which is asked for everything; `token`: what it gave;
        None: CORPUSMITH_TOKEN.

        Raises StoreError, UsageError.
        """
        if db is not None and is_address(db):
            from corpusmith.service.remote.door import connect

            return connect(self, db, token, language or language_of())
        self._wire(open_store(database_url(db)), language or language_of())
        adopt(self.store)
        seal_old(self.store)

    @classmethod
    def over(
        cls, store: SqlStore, language: Language, *, passwords: Passwords = PASSWORDS
    ) -> Studio:
        """A Studio on a store that is open already and stays its owner's: cheap to make, one for
        each request of a server, or for each thread. Never `close` it."""
        studio = cls.__new__(cls)
        studio._wire(store, language)
        studio.passwords = passwords
        return studio

    def _wire(self, store: SqlStore, language: Language) -> None:
        self.language: Language = language
        self.store = store
        self.calls = Calls(self)
        self.connections = Connections(self)
        self.characters = Characters(self)
        self.scenarios = Scenarios(self)
        self.datasets = Datasets(self)
        self.domains = Domains(self)
        self.task_previews = TaskPreviews(self)
        self.task_views = TaskViews(self)
        self.tasks = Tasks(self)
        self.overview = Overview(self)
        self.exports = Exports(self)
        self.evaluations = Evaluations(self)
        self.records = Records(self)
        self.reports = Reports(self)
        self.kept_reports = KeptReports(self)
        self.chains = Chains(self)
        self.checking = Checking(self)
        self.cleaning = Cleaning(self)
        self.imports = Imports(self)
        self.sampling = Sampling(self)
        self.settings = ServerSettings(self)
        self.watch = Watch(self)
        self.retention = Retention(self)
        self.reviews = Reviews(self)
        self.rounds = Rounds(self)
        self.stored_chains = StoredChains(self)
        self.templates = Templates(self)
        self.uploads = Uploads(self)
        self.catalogue = Catalogue(self)
        self.feedback = Feedback(self)
        self.users = Users(self)
        self.logins = Logins(self)
        self.tokens = Tokens(self)
        self.audit = Audit(self)
        self.backups = KeptBackups(self)
        self.passwords = PASSWORDS
        self.workers = Workers(self)
        self._limiters: LimiterPool | None = None

    @property
    def limiters(self) -> LimiterPool:
        """Limits by endpoint, key and model, shared by all tasks of this Studio."""
        if self._limiters is None:
            from corpusmith.engine.clock import SystemClock
            from corpusmith.engine.limits import LimiterPool

            self._limiters = LimiterPool(SystemClock())
        return self._limiters

    def generate(self, *, show: Show | None = None, **fields: Any) -> Result:
        """Create a task and run it to its end. Fields are those of `TaskFile`."""
        from corpusmith.service import loop

        return loop.run(self.generate_async(show=show, **fields))

    async def generate_async(self, *, show: Show | None = None, **fields: Any) -> Result:
        """`generate`, awaited."""
        task = await self.tasks.create_async(fields)
        return await self.tasks.run_async(task, show=show)

    def close(self) -> None:
        """Give back the database. May be called twice."""
        self.store.close()

    def __enter__(self) -> Studio:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
