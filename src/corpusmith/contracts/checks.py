"""What the kinds of checks promise, each alone and all together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from corpusmith.contracts.recipes import Ask
from corpusmith.values import Draft, Language, Miss, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckContext:
    """What a check may know of its task, or of the dataset that it looks at."""

    language: Language
    boilerplate: tuple[str, ...] = ()
    """Texts that stand in every record because they were given, such as a template's own words."""
    expected: int = 0
    """About how many records there will be to compare with; 0: nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A record that is there already, for those checks that compare with it."""

    place: str
    """Its name for people, such as `日常对话#12` or `#4711`."""
    draft: Draft
    own: bool
    """Made by the same task; False: it stands in the task's dataset."""


class Check(Protocol):
    """A test of a draft. Pure: it never changes the draft.

    Constructed with its options as keyword arguments; one that has a parameter `context` is
    handed its CheckContext there. Raises SpecError for options that make no sense.
    """

    name: ClassVar[str]

    def __call__(self, draft: Draft) -> Verdict: ...


@runtime_checkable
class AskingCheck(Protocol):
    """A check that asks a model. Runs after those that do not, with the item's own `ask`."""

    name: ClassVar[str]
    roles: ClassVar[tuple[str, ...]]
    """Whom it asks; the task's routes have them."""

    def calls(self, record_tokens: int) -> Sequence[tuple[str, int, int]]:
        """(role, prompt tokens, completion tokens) of each call for a draft of so many tokens,
        roughly. Pure."""

    async def ask_about(self, draft: Draft, ask: Ask) -> Verdict: ...


@runtime_checkable
class ComparingCheck(Protocol):
    """A check that compares with what was accepted before. Runs last, one draft at a time and in
    the order of the plan, so that its verdicts depend neither on who was quickest nor on kills.

    To be safe against those it must be symmetric: if `a` fails beside `b`, `b` fails beside `a`.
    """

    name: ClassVar[str]

    def learn(self, earlier: Iterable[Earlier]) -> None:
        """Remember what is there already, in portions, before anything is compared; on any thread.

        A check that has a method `settle()` is told by it, on that thread, that this was all.
        """

    async def compare(self, draft: Draft, ask: Ask) -> Verdict:
        """The verdict beside all that is remembered. Remembers nothing."""

    def remember(self, place: str, draft: Draft) -> None:
        """`draft`, compared last, is accepted."""


class Checks(Protocol):
    """All checks of a task, as the engine runs them."""

    @property
    def asking(self) -> bool:
        """Whether any of them asks a model."""

    @property
    def comparing(self) -> bool:
        """Whether any of them compares with other records."""

    def own(self, draft: Draft) -> Draft | Miss:
        """By itself: the draft with its verdicts (and masks), or why it is rejected."""

    async def asked(self, draft: Draft, ask: Ask) -> Draft | Miss:
        """Of a draft that passed `own`: by those that ask a model. Raises what `ask` raises."""

    def learn(self, earlier: Iterable[Earlier]) -> None:
        """What is there already. Once, before the first `compared`."""

    async def compared(self, draft: Draft, place: str, ask: Ask) -> Draft | Miss:
        """Of a draft that passed all else, in turn: beside what was accepted before; it is
        remembered if it passes."""
