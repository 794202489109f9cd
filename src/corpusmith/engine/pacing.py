"""The rate of a server that does not tell its limit: learned from its 429s.

Owns: the learned rate. Pure: time is passed in. Does not own: waiting, Retry-After, the number in
flight.

The idea: at a 429 the server's bucket is empty. So between two of them it let through exactly
what flowed in, and `calls let through / seconds` is its limit, whatever its burst is. After the
first 429 the rate is searched for from far below by doubling; the second one gives the figure.
From then on calls are sent at nine tenths of it, soon just below it, for long just at it, and
then faster and faster above it (a cubic curve, as in TCP CUBIC) until the next 429 renews it.
"""

from __future__ import annotations

from typing import Literal

SEARCH_SHARE = 1 / 16
SEARCH_STEP_S = 0.1
FIRST_PAUSE_S = 1.0
PAUSE_MAX_S = 32.0

DIP = 0.1
# Time to climb back to the figure: long enough that one or two 429s a climb are below 2%.
CLIMB_CALLS = 100
CLIMB_S = 20.0
SURE_CALLS = 50

# A loop that wakes up late catches up with this much at once, not more.
CATCH_UP_S = 0.05

# So many 429s with so few calls between them, each after a slower pace: not our rate is the cause.
ERRATIC_HITS = 8
ERRATIC_CALLS = 20
# Or the figure halves within so many 429s in small steps: a lower limit would show at once.
FALL_HITS = 24
FALL_STEPS = 6
DEAF_CALLS = 500
DEAF_CALLS_MAX = 50_000


class Pace:
    """The learned rate. `per_s` is None while none is known: calls then flow freely.

    States: `free`; `start` (the rate only spreads a growing burst); `search`; `learned`.
    """

    __slots__ = (
        "_base",
        "_climb",
        "_climb_calls",
        "_deaf_calls",
        "_deaf_until",
        "_episode_end",
        "_feedback_s",
        "_figures",
        "_hit_ordinal",
        "_known",
        "_mark_at",
        "_mark_sent",
        "_next_at",
        "_pause_s",
        "_refused",
        "_short_hits",
        "_since",
        "_slack_s",
        "_speed",
        "_step_at",
        "per_s",
        "sent",
        "state",
    )

    def __init__(self, now: float) -> None:
        self.state: Literal["free", "start", "search", "learned"] = "free"
        self.per_s: float | None = None
        self.sent = 0
        """Calls sent so far; a call's ordinal is the count with itself."""
        self._next_at = now
        self._mark_at = now
        self._mark_sent = 0
        self._speed = 0.0
        self._episode_end = 0
        self._hit_ordinal = 0
        self._since = (0, now)
        """Ordinal and time of the 429 from which calls let through are counted."""
        self._refused = 0
        self._slack_s = 0.0
        self._known: list[tuple[int, float]] = []
        self._base = 0.0
        self._climb = 0.0
        self._climb_calls = float(CLIMB_CALLS)
        self._feedback_s = SEARCH_STEP_S / 2
        self._pause_s = FIRST_PAUSE_S
        self._step_at = now
        self._short_hits = 0
        self._figures: list[float] = []
        """The figure at each of the last 429s."""
        self._deaf_until = 0
        self._deaf_calls = DEAF_CALLS

    def wait_s(self, now: float) -> float:
        """Seconds until the next call may be sent; 0.0 is now."""
        if self.per_s is None or self._next_at <= now:
            return 0.0
        return self._next_at - now

    @property
    def deaf(self) -> bool:
        """True while 429s are held to come by chance, not from our rate."""
        return self.sent <= self._deaf_until

    def spread(self, per_s: float | None) -> None:
        """Spread the sends of a growing burst, so that a 429 is heard before the rest has gone.

        None: no longer. A rate that is searched for or learned stays.
        """
        if self.state == "free" or self.state == "start":
            self.state = "free" if per_s is None else "start"
            self.per_s = per_s

    def send(self, now: float) -> int:
        """Count a call that is sent now; its ordinal."""
        self.sent += 1
        if self.per_s is not None:
            self._advance(now, self.per_s)
        if now - self._mark_at > 0.5:
            self._speed = (self.sent - self._mark_sent) / (now - self._mark_at)
            self._mark_at, self._mark_sent = now, self.sent
        return self.sent

    def _advance(self, now: float, per_s: float) -> None:
        slack_s = now - self._next_at - CATCH_UP_S
        if slack_s > 0:
            # Nobody wanted to send: the server's bucket may have run over meanwhile.
            self._next_at = now - CATCH_UP_S
            self._slack_s += slack_s
        elif self.state == "learned":
            self._climb += min(1 / self._climb_calls, 1 / (per_s * CLIMB_S))
            self.per_s = self._base * (1 + DIP * (self._climb - 1) ** 3)
        elif self.state == "search" and now >= self._step_at:
            # Doubled only while it is the rate that holds calls back.
            self._step_at = now + max(SEARCH_STEP_S, 2 * self._feedback_s)
            self.per_s = per_s * 2
        self._next_at += 1 / per_s

    def is_hit(self, ordinal: int) -> bool:
        """Whether a 429 for the call `ordinal` is news, and not the tail of the last one."""
        return ordinal > self._episode_end and not self.deaf

    def passed(self, ordinal: int) -> int:
        """Calls let through since the last 429, up to the call `ordinal`."""
        return ordinal - self._since[0] - 1 - self._refused

    def refused(self, ordinal: int, sent_at: float, now: float) -> None:
        """A 429 came for the call `ordinal` that was sent at `sent_at`."""
        if not self.is_hit(ordinal):
            if ordinal > self._since[0]:
                self._refused += 1
            return
        self._feedback_s = max(now - sent_at, 1e-3)
        if self.state == "free" or self.state == "start":
            self._search(ordinal, sent_at, now)
        elif ordinal - self._episode_end <= 1:
            # Not one call got through: wait longer. It stays one stretch with the time before,
            # because a window that is used up says nothing of the mean rate.
            self._refused += 1
            self._back_off(now)
        else:
            self._learn(ordinal, sent_at, now)
        self._episode_end = self.sent

    def ignored(self) -> None:
        """A 429 that had another cause: those in flight may bring more of them."""
        self._refused += 1
        self._episode_end = self.sent

    def _begin(self, ordinal: int, sent_at: float) -> None:
        self._since = (ordinal, sent_at)
        self._refused = 0
        self._slack_s = 0.0

    def _search(self, ordinal: int, sent_at: float, now: float) -> None:
        since_s = now - self._mark_at
        recent = (self.sent - self._mark_sent) / max(since_s, 0.05)
        self._speed = max(self._speed if since_s < 0.5 else 0.0, recent, 1.0)
        self.state = "search"
        self.per_s = max(self._speed * SEARCH_SHARE, 1.0)
        self._known.clear()
        self._pause_s = FIRST_PAUSE_S
        self._short_hits = 0
        self._figures.clear()
        self._pause(now)
        self._begin(ordinal, sent_at)

    def _back_off(self, now: float) -> None:
        self._pause(now)
        if self.state == "search" and self.per_s is not None:
            self.per_s = max(self.per_s / 4, 1 / max(SEARCH_STEP_S, 2 * self._feedback_s))
        else:
            self._start_climb()

    def _pause(self, now: float) -> None:
        self._next_at = now + self._pause_s
        self._step_at = self._next_at + max(SEARCH_STEP_S, 2 * self._feedback_s)
        self._pause_s = min(PAUSE_MAX_S, self._pause_s * 2)

    def _learn(self, ordinal: int, sent_at: float, now: float) -> None:
        passed = max(1, self.passed(ordinal))
        elapsed_s = max(sent_at - self._since[1], 1e-3)
        slack_s = self._slack_s
        self._begin(ordinal, sent_at)
        self._pause_s = FIRST_PAUSE_S
        self._short_hits = self._short_hits + 1 if passed < ERRATIC_CALLS else 0
        if self._short_hits >= ERRATIC_HITS or self._creeps_down():
            self._turn_deaf()
            return
        if self.state == "learned" and slack_s > 0.1 * elapsed_s:
            # The server's bucket may have run over meanwhile: what got through is the least.
            self._base = max(passed / elapsed_s, self._base * (1 - DIP))
        else:
            self._note(passed, elapsed_s)
        self.state = "learned"
        self._start_climb()

    def _note(self, passed: int, elapsed_s: float) -> None:
        fresh = passed / elapsed_s
        if self._known and not 0.5 < fresh / self._base < 2:
            self._known.clear()
            self._figures.clear()
        self._known.append((passed, elapsed_s))
        while len(self._known) > 1 and sum(n for n, _ in self._known[1:]) >= SURE_CALLS:
            del self._known[0]
        calls = sum(n for n, _ in self._known)
        self._base = calls / sum(s for _, s in self._known)
        if self.state == "learned" and self.per_s is not None:
            # A bucket without room loses what is not fetched at once. So what got through is the
            # least that flows in; the rate at the hit is the most. Take the middle.
            most = min(self.per_s, self._base * (1 + 3 * DIP))
            self._base = max(self._base, (self._base + most) / 2)
        # A figure from few calls is a guess: try it out sooner.
        self._climb_calls = min(float(CLIMB_CALLS), max(10.0, 5.0 * calls))

    def _creeps_down(self) -> bool:
        self._figures.append(self._base)
        del self._figures[:-FALL_HITS]
        early = self._figures[:-FALL_STEPS]
        return bool(early) and self._base < 0.5 * max(early)

    def _start_climb(self) -> None:
        self._climb = 0.0
        self.per_s = self._base * (1 - DIP)

    def _turn_deaf(self) -> None:
        """429s that come whatever we do: the server throws dice, and slowing down is no use."""
        self.state, self.per_s = "free", None
        self._short_hits = 0
        self._figures.clear()
        self._deaf_until = self.sent + self._deaf_calls
        self._deaf_calls = min(DEAF_CALLS_MAX, self._deaf_calls * 2)
