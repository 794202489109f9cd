"""The rate of a server that does not tell its limit: learned from its 429s.

Owns: the learned rate. Pure: time is passed in. Does not own: waiting, Retry-After, the number in
flight.

The idea: at a 429 the server's bucket is empty. So between two of them it let through exactly
what flowed in, and `calls let through / seconds` is its limit, whatever its burst is. After the
first 429 the rate is searched for from far below by doubling; the second one gives the figure.
From then on calls are sent at nine tenths of it, soon just below it, for long just at it, and
then faster and faster above it (a cubic curve, as in TCP CUBIC) until the next 429 renews it.

Some 429s come by chance, whatever the rate. A trial tells: right after a 429 a few calls go at
twice the rate. A real limit refuses half of them; chance does not care, and the figure doubles.
"""

from __future__ import annotations

from typing import Literal

SEARCH_SHARE = 1 / 16
SEARCH_STEP_S = 0.1
FIRST_PAUSE_S = 1.0
PAUSE_MAX_S = 32.0
SLOWEST_PER_S = 1 / 30

DIP = 0.1
# Time to climb back to the figure: long enough that one or two 429s a climb are below 2%.
CLIMB_CALLS = 100
CLIMB_S = 20.0
CLIMB_FIRST_S = 5.0
SURE_CALLS = 50
# Providers count in windows of a minute at most; what held for most of one is no burst.
SUSTAINED_S = 45.0

# A loop that wakes up late catches up with this much at once, not more.
CATCH_UP_S = 0.05
CATCH_UP_START_S = 0.005

TRIAL_CALLS = 8
TRIAL_FIRST_HITS = 4
SHARE_OF_CHANCE = 0.1
TRIAL_MAX_HITS = 64


class Pace:
    """The learned rate. `per_s` is None while none is known: calls then flow freely.

    States: `free`; `start` (the rate only spreads a growing burst); `search`; `learned`.
    """

    __slots__ = (
        "_awake",
        "_base",
        "_by_chance",
        "_climb",
        "_climb_calls",
        "_climb_s",
        "_doubted",
        "_episode_end",
        "_feedback_s",
        "_hits_to_trial",
        "_known",
        "_mark_at",
        "_mark_sent",
        "_next_at",
        "_pause_s",
        "_refused",
        "_refused_awake",
        "_share",
        "_since",
        "_slack_s",
        "_speed",
        "_step_at",
        "_trial_end",
        "_trial_judged_at",
        "_trial_most",
        "_trial_refused",
        "_trial_wait",
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
        self._feedback_s = SEARCH_STEP_S / 2
        self._pause_s = FIRST_PAUSE_S
        self._step_at = now
        # What was let through is counted from the last 429 with calls let through before it;
        # and from the last 429 of any kind.
        self._episode_end = 0
        self._since = (0, now)
        self._refused = 0
        self._awake = (0, now)
        self._refused_awake = 0
        self._slack_s = 0.0
        self._known: list[tuple[int, float]] = []
        self._base = 0.0
        self._climb = 0.0
        self._climb_calls = float(CLIMB_CALLS)
        self._climb_s = CLIMB_S
        self._share = 0.0
        """Of the calls sent, how many were refused lately."""
        self._by_chance = False
        """The last trial said that 429s do not come from the rate."""
        self._doubted = False
        """And the one after it said otherwise: one more decides."""
        self._trial_end = 0
        self._trial_judged_at = now
        self._trial_most = 0.0
        self._trial_refused = 0
        self._trial_wait = TRIAL_FIRST_HITS
        self._hits_to_trial = TRIAL_FIRST_HITS

    def wait_s(self, now: float) -> float:
        """Seconds until the next call may be sent; 0.0 is now."""
        if self.per_s is None or self._next_at <= now:
            return 0.0
        return self._next_at - now

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
        catch_up_s = CATCH_UP_START_S if self.state == "start" else CATCH_UP_S
        slack_s = now - self._next_at - catch_up_s
        if slack_s > 0:
            # Nobody wanted to send: the server's bucket may have run over meanwhile.
            self._next_at = now - catch_up_s
            self._slack_s += slack_s
        elif self.state == "search" and now >= self._step_at:
            # Doubled only while it is the rate that holds calls back.
            self._step_at = now + self._step_s()
            self.per_s = per_s * 2
        if self.state == "learned":
            if self._trial_end:
                self._go_on_with_trial(now)
            elif slack_s <= 0:
                self._climb += min(1 / self._climb_calls, 1 / (per_s * self._climb_s))
                self.per_s = self._base * (1 + DIP * (self._climb - 1) ** 3)
        self._next_at += 1 / per_s

    def _step_s(self) -> float:
        """Long enough to hear a 429 of this step before the next."""
        return max(SEARCH_STEP_S, 2 * self._feedback_s)

    def is_hit(self, ordinal: int) -> bool:
        """Whether a 429 for the call `ordinal` is news: not the tail of the last, not a trial's."""
        return ordinal > self._episode_end and not self._trial_end

    def passed(self, ordinal: int) -> int:
        """Calls let through since the last 429 that was news, up to the call `ordinal`."""
        return ordinal - self._since[0] - 1 - self._refused

    def refused(self, ordinal: int, sent_at: float, now: float, wish_s: float | None) -> None:
        """A 429 came for the call `ordinal`, sent at `sent_at`; `wish_s` is its Retry-After."""
        if not self.is_hit(ordinal):
            self._count(ordinal)
            return
        self._feedback_s = max(now - sent_at, 1e-3)
        if self.state == "free" or self.state == "start":
            self._search(now)
            self._begin(ordinal, sent_at)
        elif ordinal - self._episode_end <= 1:
            # Not one call got through. The stretch goes on: a window that is used up says nothing
            # of the mean rate.
            self._count(ordinal)
            self._awake, self._refused_awake = (ordinal, sent_at), 0
            self._back_off(now)
        else:
            self._learn(ordinal, sent_at, now, wish_s)
            self._begin(ordinal, sent_at)
        self._episode_end = self.sent

    def _count(self, ordinal: int) -> None:
        self._refused += ordinal > self._since[0]
        self._refused_awake += ordinal > self._awake[0]
        self._trial_refused += ordinal > self._episode_end

    def _begin(self, ordinal: int, sent_at: float) -> None:
        self._since = self._awake = (ordinal, sent_at)
        self._refused = self._refused_awake = 0
        self._slack_s = 0.0

    def _search(self, now: float) -> None:
        since_s = now - self._mark_at
        recent = (self.sent - self._mark_sent) / max(since_s, 0.05)
        self._speed = max(self._speed if since_s < 0.5 else 0.0, recent, 1.0)
        self.state = "search"
        self.per_s = max(self._speed * SEARCH_SHARE, 1.0)
        self._pause(now)

    def _back_off(self, now: float) -> None:
        if self.state == "learned" and self.per_s is not None:
            self._pause_s = max(self._pause_s, min(FIRST_PAUSE_S, 2 / self.per_s))
        self._pause(now)
        if self.state == "search" and self.per_s is not None:
            self.per_s = max(self.per_s / 4, min(self.per_s, 1 / self._step_s()))
        else:
            self._start_climb()

    def _pause(self, now: float) -> None:
        self._next_at = now + self._pause_s
        self._step_at = self._next_at + self._step_s()
        self._pause_s = min(PAUSE_MAX_S, self._pause_s * 2)

    def _learn(self, ordinal: int, sent_at: float, now: float, wish_s: float | None) -> None:
        passed, elapsed_s = self._stretch(ordinal, sent_at)
        if self.state == "learned" and self._slack_s > 0.1 * elapsed_s:
            # The server's bucket may have run over meanwhile: what got through is the least.
            self._base = max(passed / elapsed_s, self._base * (1 - DIP))
        elif not (self._by_chance and passed < SURE_CALLS):
            self._note(passed, elapsed_s)
        # A call is welcome after Retry-After, so the rate is one in that time at least.
        self._base = max(self._base, 1 / max(wish_s, 1.0) if wish_s else SLOWEST_PER_S)
        self._share += 0.3 * (1 / (passed + 1) - self._share)
        self._pause_s = 0.0
        self._next_at = max(self._next_at, now)
        self.state = "learned"
        self._start_climb()
        self._hits_to_trial -= 1
        # What flows in during a Retry-After would let every trial pass.
        if self._hits_to_trial <= 0 and not wish_s:
            self._begin_trial()

    def _stretch(self, ordinal: int, sent_at: float) -> tuple[int, float]:
        """Calls let through, and the seconds for it."""
        start, at = self._awake
        passed = ordinal - start - 1 - self._refused_awake
        if sent_at - at < SUSTAINED_S:
            passed, at = self.passed(ordinal), self._since[1]
        return max(1, passed), max(sent_at - at, 1e-3)

    def _note(self, passed: int, elapsed_s: float) -> None:
        fresh = passed / elapsed_s
        if self._known and not 0.5 < fresh / self._base < 2:
            self._known.clear()
        self._known.append((passed, elapsed_s))
        while len(self._known) > 1 and sum(n for n, _ in self._known[1:]) >= SURE_CALLS:
            del self._known[0]
        calls = sum(n for n, _ in self._known)
        self._base = calls / sum(s for _, s in self._known)
        if self.state == "learned" and self.per_s is not None:
            # A bucket without room loses what is not fetched at once. So what got through is the
            # least that flows in; the rate at the hit is the most. Take the middle.
            most = min(self.per_s, self._base * (1 + 2 * DIP))
            self._base = max(self._base, (self._base + most) / 2)
        # A figure from few calls is a guess, and one from the search too low where the bucket ran
        # over in the pause: try them out sooner.
        self._climb_calls = min(float(CLIMB_CALLS), max(10.0, 5.0 * calls))
        self._climb_s = CLIMB_S if self.state == "learned" else CLIMB_FIRST_S

    def _start_climb(self) -> None:
        self._climb = 0.0
        self.per_s = self._base * (1 - DIP)

    def _begin_trial(self) -> None:
        # Halfway between what chance refuses, `share`, and what a limit does, `(1 + share) / 2`.
        self._trial_most = TRIAL_CALLS * (0.25 + 0.75 * self._share)
        self._trial_end = self.sent + TRIAL_CALLS
        self._trial_refused = 0
        self._trial_judged_at = float("inf")
        self.per_s = self._base * 2

    def _go_on_with_trial(self, now: float) -> None:
        if self.sent == self._trial_end:
            self._trial_judged_at = now + self._step_s()
            self._start_climb()
        elif now >= self._trial_judged_at or self._trial_refused > self._trial_most:
            self._judge_trial(now)

    def _judge_trial(self, now: float) -> None:
        if self._trial_refused <= self._trial_most:
            self._by_chance, self._doubted = True, False
            self._trial_wait = 1
            if self._slack_s <= CATCH_UP_S:
                # It was the rate that held calls back.
                self._base *= 2
            self._known.clear()
            self._begin(self.sent, now)
        elif self._by_chance and not self._doubted:
            self._doubted = True
        else:
            self._by_chance = self._doubted = False
            # A learned limit refuses one call in a hundred. Where more are, the trial may have
            # had bad luck: the next comes soon.
            wait = self._trial_wait * 4 if self._share < SHARE_OF_CHANCE else TRIAL_FIRST_HITS
            self._trial_wait = min(TRIAL_MAX_HITS, max(wait, TRIAL_FIRST_HITS))
        self._hits_to_trial = self._trial_wait
        self._trial_end = 0
        self._episode_end = self.sent
        self._start_climb()
