"""What the simulator has served.

Owns: the counters and the kept requests. Does not own: when something counts (`server.py`).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from datetime import UTC, datetime

from corpusmith.values import Json

MAX_DISTINCT = 2_000_000
"""Bodies told apart (about 120 MB of digests at most); later new ones count as `uncounted`."""
_SECRET_HEADERS = frozenset({"authorization", "x-api-key", "x-goog-api-key", "cookie"})
_SECRET_WORDS = ("key", "token", "secret", "password")


class Stats:
    """Counters since the start or the last reset."""

    def __init__(self, record: int) -> None:
        self._record = record
        self.in_flight = 0
        self.clear()

    def clear(self) -> None:
        """Begin anew; what is in flight stays in flight."""
        self.requests = 0
        self.by_route: Counter[str] = Counter()
        self.by_status: Counter[int] = Counter()
        self.by_fault: Counter[str] = Counter()
        self.max_in_flight = self.in_flight
        self.repeated = 0
        self.uncounted = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.rejected_429 = 0
        self.aborted = 0
        self.started_at = datetime.now(UTC)
        self._bodies: set[bytes] = set()
        self._kept: deque[Json] = deque(maxlen=self._record)

    def arrive(self) -> None:
        """A chat came in."""
        self.requests += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)

    def leave(self) -> None:
        """A chat was answered, or its client went away."""
        self.in_flight -= 1

    def serve(self, body: bytes, prompt_tokens: int, completion_tokens: int) -> None:
        """A good reply was sent; `body` is the request's digest."""
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
        if body in self._bodies:
            self.repeated += 1
        elif len(self._bodies) < MAX_DISTINCT:
            self._bodies.add(body)
        else:
            self.uncounted += 1

    def keep(self, path: str, headers: Mapping[str, str], body: Json) -> None:
        """Remember a request, if any are kept; secrets are left out."""
        if not self._record:
            return
        shown = {name: _redact(name, value) for name, value in headers.items()}
        self._kept.append({"path": path, "headers": shown, "body": body})

    def kept(self, last: int) -> list[Json]:
        """The last requests, oldest first."""
        return list(self._kept)[-last:] if last > 0 else []

    def show(self) -> dict[str, Json]:
        """All counters as JSON."""
        return {
            "requests": self.requests,
            "by_route": dict(self.by_route),
            "by_status": {str(status): count for status, count in self.by_status.items()},
            "by_fault": dict(self.by_fault),
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "distinct": len(self._bodies),
            "repeated": self.repeated,
            "uncounted": self.uncounted,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "rejected_429": self.rejected_429,
            "aborted": self.aborted,
            "started_at": self.started_at.isoformat(timespec="milliseconds"),
        }


def _redact(name: str, value: str) -> str:
    secret = name in _SECRET_HEADERS or any(word in name for word in _SECRET_WORDS)
    return "[redacted]" if secret else value
