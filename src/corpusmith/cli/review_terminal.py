"""Review at a terminal: one record after another, a key for each decision.

Owns: the sitting: what is shown, what a key does, the way back. Does not own: reading keys
(`review_keys.py`), editors (`review_edit.py`), reviews (the service). Every decision is saved
before the next record is shown, so a sitting may end anywhere.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from corpusmith.cli.errors import message_of, redacted
from corpusmith.cli.out import number, show_event
from corpusmith.cli.review_edit import Drafts
from corpusmith.cli.review_keys import Keys
from corpusmith.cli.review_show import review_text, show_details, show_look
from corpusmith.cli.session import Session
from corpusmith.cli.widths import harmless, tell
from corpusmith.errors import Conflict, CorpusmithError, UsageError
from corpusmith.service.review_content import texts_of

if TYPE_CHECKING:
    from corpusmith.service.reviews import Look
    from corpusmith.service.studio import Studio
    from corpusmith.store.review_values import Place, Queue, Review
    from corpusmith.values import Record

Step = Literal["stay", "again", "next", "back", "quit"]
"""Wait for a key; show the record again; the next one; the one before; end."""

PAGE = 50
ENOUGH_TO_GUESS = 3
"""Records decided before the time that is left is guessed."""


class Sitting:
    """One person with one queue."""

    def __init__(self, session: Session, studio: Studio, queue: Queue, keys: Keys) -> None:
        self._session = session
        self._reviews = studio.reviews
        self._queue = queue
        self._keys = keys
        self._drafts = Drafts()
        progress = studio.reviews.progress(queue)
        self._before, self._total = progress.done, progress.total
        self._seen: list[int] = []
        self._at = -1
        self._ahead: list[int] = []
        self._after: Place | None = None
        self._ended = False
        self._actions: list[tuple[int, int]] = []
        """(action, record) of this sitting: what `u` takes back."""
        self._decided: dict[int, str] = {}
        self._began_s = time.monotonic()

    def run(self) -> None:
        """To the end of the queue, of the input, or until the reviewer quits."""
        if not self._session.json and self._keys.live:
            self._help("")
        step: Step = "next"
        try:
            with self._keys:
                while step != "quit" and (look := self._move(step)) is not None:
                    self._show(look)
                    step = self._until_moved(look)
        finally:
            self._end()

    # ------------------------------------------------------------ the way

    def _move(self, step: Step) -> Look | None:
        """The record to be shown; None: the queue is at its end."""
        at = {"next": self._at + 1, "back": max(0, self._at - 1)}.get(step, self._at)
        while True:
            if at == len(self._seen):
                if (fresh := self._fresh()) is None:
                    return None
                self._seen.append(fresh)
            found = self._reviews.look([self._seen[at]], reviewer=self._queue.reviewer)
            if found:
                self._at = at
                return found[0]
            del self._seen[at]  # deleted meanwhile
            at = max(0, min(at, len(self._seen)))

    def _fresh(self) -> int | None:
        known = set(self._seen)
        while not self._ahead and not self._ended:
            page = self._reviews.queue(self._queue, limit=PAGE, after=self._after)
            self._ahead = [one for one in page.ids if one not in known]
            self._after, self._ended = page.after, page.after is None
        return self._ahead.pop(0) if self._ahead else None

    def _show(self, look: Look) -> None:
        place = {"at": self._before + self._at + 1, "total": self._total}
        if self._session.json:
            show_event("record", record=look.record, review=look.review, **place)
            return
        shown = {name: number(value) for name, value in place.items()}
        head = self._session.say("review.place", **shown) + self._left()
        print(f"\n{head}")
        show_look(self._session, look)

    def _left(self) -> str:
        """`, about 9 min left`; empty as long as there is nothing to guess by."""
        done = len(self._decided)
        left = self._total - self._before - done
        if done < ENOUGH_TO_GUESS or left <= 0:
            return ""
        minutes = (time.monotonic() - self._began_s) / done * left / 60
        if minutes < 90:
            return self._session.say("review.minutes_left", n=max(1, round(minutes)))
        return self._session.say("review.hours_left", n=f"{minutes / 60:.1f}")

    # ------------------------------------------------------------ commands

    def _until_moved(self, look: Look) -> Step:
        step: Step = "stay"
        while step == "stay":
            self._prompt("review.prompt")
            key, rest = self._keys.command()
            if self._keys.live and not self._session.json:
                print(harmless(key))
            try:
                step = self._do(look, key, rest)
            except CorpusmithError as error:
                self._complain(error)
        return step

    def _do(self, look: Look, key: str, rest: str) -> Step:
        if key in ("1", "2", "3", "4", "5"):
            return self._say(look, "stay", rating=key)
        command = _COMMANDS.get(key)
        if command is None:
            raise UsageError("review_key", key=key[:20])
        return command(self, look, rest)

    def _say(self, look: Look, then: Step, **said: Any) -> Step:
        """Says something of the record, and it is saved."""
        settled = self._queue.kind == "disagreement" and then == "next"
        record = self._reviews.review(
            look.record.id,
            reviewer=self._queue.reviewer,
            version=look.record.version,
            **{**said, **({"settled": True} if settled else {})},
        )
        self._note(record.id)
        review = self._reviews.look([record.id], reviewer=self._queue.reviewer)[0].review
        if review is not None and {"state", "rating", "settled"} & set(said):
            self._decided[record.id] = review.state
        if self._session.json:
            show_event("saved", record=record.id, review=review, tags=record.tags)
        elif then == "stay":
            self._show_said(record, review)
        return then

    def _show_said(self, record: Record, review: Review | None) -> None:
        """What stands now, without the whole record once more."""
        parts = [] if review is None else [review_text(self._session, review)]
        if record.tags:
            parts.append(self._session.say("review.tags", names=", ".join(record.tags)))
        said = self._session.say("show.separator").join(parts)
        self._tell("review.yours", review=said or "–")

    def _note(self, record_id: int) -> None:
        action = self._reviews.last_action(reviewer=self._queue.reviewer)
        if action is not None and (not self._actions or self._actions[-1][0] != action):
            self._actions.append((action, record_id))

    def _approve(self, look: Look, rest: str) -> Step:
        return self._say(look, "next", state="approved")

    def _reject(self, look: Look, rest: str) -> Step:
        return self._say(look, "next", state="rejected")

    def _tag(self, look: Look, rest: str) -> Step:
        tags = [tag.strip() for tag in (rest or self._asked("review.ask_tags")).split(",")]
        add = [tag for tag in tags if tag and not tag.startswith("-")]
        remove = [tag[1:] for tag in tags if tag.startswith("-")]
        if not add and not remove:
            return "stay"
        return self._say(look, "stay", add_tags=add, remove_tags=remove)

    def _write_note(self, look: Look, rest: str) -> Step:
        text = rest or self._asked("review.ask_note")
        # A dash alone takes the note away; Enter alone leaves it.
        return self._say(look, "stay", note="" if text == "-" else text) if text else "stay"

    def _edit(self, look: Look, rest: str) -> Step:
        record = look.record
        text = rest or self._asked("review.ask_text", n=len(texts_of(record.content)))
        if text and not text.isdecimal():
            raise UsageError(
                "review_no_text", number=text[:20], count=len(texts_of(record.content))
            )
        number_ = int(text) if text else None
        try:
            with self._keys.usual():
                edited = self._drafts.edit(record, number_)
            if edited is None:
                self._tell("review.not_changed")
                return "stay"
            draft, content = edited
            try:
                self._reviews.edit(
                    record.id, content, reviewer=self._queue.reviewer, version=draft.version
                )
            except Conflict:
                # They have been told: the next attempt takes the place of what is there now.
                draft.version = self._reviews.get(record.id).version
                raise
        except UsageError as error:
            self._complain(error)
            for file in self._drafts.end():
                self._tell("review.kept", file=file)
            return "stay"
        self._drafts.close(record.id, number_)
        self._note(record.id)
        if self._session.json:
            show_event("edited", record=record.id, version=self._reviews.get(record.id).version)
        return "again"

    def _undo(self, look: Look, rest: str) -> Step:
        if not self._actions:
            raise UsageError("review_nothing_here")
        action, record_id = self._actions[-1]
        found = self._reviews.undo(reviewer=self._queue.reviewer, action=action)
        self._actions.pop()
        self._count_anew(record_id)
        if self._session.json:
            show_event("undone", undone=found)
        else:
            self._tell("review.undone" if found.undone else "review.undo_kept", record=record_id)
        if record_id in self._seen:
            self._at = self._seen.index(record_id)
        return "again"

    def _count_anew(self, record_id: int) -> None:
        """What is left of the reviewer's word on a record after something was taken back."""
        looks = self._reviews.look([record_id], reviewer=self._queue.reviewer)
        own = looks[0].review if looks else None
        if own is None:
            self._decided.pop(record_id, None)
        elif record_id in self._decided:
            self._decided[record_id] = own.state

    def _skip(self, look: Look, rest: str) -> Step:
        if self._queue.kind == "disagreement" and look.record.id in self._decided:
            # It was looked at in sight of the score, and what was said stands.
            self._say(look, "next", settled=True)
        return "next"

    def _details(self, look: Look, rest: str) -> Step:
        if not self._session.json:
            show_details(self._session, look.record)
        return "stay"

    def _help(self, rest: str) -> Step:
        if not self._session.json:
            tell(self._session.say("review.keys"), sys.stdout)
        return "stay"

    # ------------------------------------------------------------ words

    def _asked(self, key: str, **data: object) -> str:
        """A line typed in answer; from a pipe it would have stood behind the command."""
        if not self._keys.live:
            return ""
        self._prompt(key, **data)
        return self._keys.line()

    def _prompt(self, key: str, **data: object) -> None:
        if self._keys.live and not self._session.json:
            print(self._session.say(key, **data), end=" ", flush=True)

    def _tell(self, key: str, **data: object) -> None:
        if not self._session.json:
            tell(self._session.say(key, **data), sys.stdout)

    def _complain(self, error: CorpusmithError) -> None:
        text = redacted(message_of(error, self._session))
        if self._session.json:
            show_event("error", code=error.reason, message=text)
        else:
            tell(text, sys.stdout)

    def _end(self) -> None:
        """What was done, and the edits that wait."""
        states = Counter(self._decided.values())
        counts = {
            "n": len(self._decided),
            "approved": states["approved"],
            "rejected": states["rejected"],
        }
        kept = self._drafts.end()
        if self._session.json:
            show_event("ended", **counts, kept=[str(one) for one in kept])
            return
        print()
        if self._at == -1:
            self._tell("review.empty")
        else:
            self._tell("review.ended", **{name: number(n) for name, n in counts.items()})
        for file in kept:
            self._tell("review.kept", file=file)


_COMMANDS: Mapping[str, Callable[[Sitting, Look, str], Step]] = {
    "a": Sitting._approve,
    "r": Sitting._reject,
    "t": Sitting._tag,
    "n": Sitting._write_note,
    "e": Sitting._edit,
    "u": Sitting._undo,
    "s": Sitting._skip,
    "b": lambda sitting, look, rest: "back",
    "i": Sitting._details,
    "q": lambda sitting, look, rest: "quit",
    "?": lambda sitting, look, rest: sitting._help(rest),
}
