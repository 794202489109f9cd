"""How often who may try what, counted in this process's memory.

Owns: the numbers and the counting. Does not own: routes (`limits.py`), guesses (`door.py`).
Several worker processes count each for itself.
"""

from __future__ import annotations

import ipaddress
import math
import time

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from corpusmith.errors import TooOften
from corpusmith.service.access import Principal
from corpusmith.store.users import folded

GUESSES = (RateLimitItemPerMinute(5), RateLimitItemPerHour(30))
"""Wrong passwords: of one address, and for one name."""
STRANGERS = (RateLimitItemPerMinute(30),)
"""Requests of one address that nobody's token or session came with."""
COSTLY = (RateLimitItemPerMinute(60),)
"""Expensive requests of one person or token."""
COSTLY_ALONE = (RateLimitItemPerMinute(600),)
"""The same for the one person of a server without users."""


class Rates:
    """One server's counters."""

    def __init__(self) -> None:
        self._counted = MovingWindowRateLimiter(MemoryStorage())

    def before_guess(self, address: str, name: str) -> None:
        """Raises TooOften after too many wrong ones."""
        for key in _guessed(address, name):
            self._refuse_full(GUESSES, *key)

    def wrong_guess(self, address: str, name: str) -> None:
        """Right ones are not counted: people behind one address do not wait for each other."""
        for key in _guessed(address, name):
            for item in GUESSES:
                self._counted.hit(item, *key)

    def stranger(self, address: str) -> None:
        """A request that nothing valid came with. Raises TooOften."""
        self._hit(STRANGERS, "stranger", network_of(address))

    def costly(self, principal: Principal) -> None:
        """An expensive request. Raises TooOften."""
        alone = principal.via == "local"
        person = f"user {principal.user_id}" if principal.user_id else f"token {principal.token_id}"
        self._hit(COSTLY_ALONE if alone else COSTLY, "costly", principal.via if alone else person)

    def _hit(self, items: tuple[RateLimitItem, ...], *key: str) -> None:
        self._refuse_full(items, *key)
        for item in items:
            if not self._counted.hit(item, *key):
                raise TooOften(seconds=self._seconds(item, *key))

    def _refuse_full(self, items: tuple[RateLimitItem, ...], *key: str) -> None:
        full = [item for item in items if not self._counted.test(item, *key)]
        if full:
            raise TooOften(seconds=max(self._seconds(item, *key) for item in full))

    def _seconds(self, item: RateLimitItem, *key: str) -> int:
        ends = self._counted.get_window_stats(item, *key).reset_time
        return max(1, math.ceil(ends - time.time()))


def _guessed(address: str, name: str) -> tuple[tuple[str, str], ...]:
    return ("from", network_of(address)), ("for", folded(name[:100]))


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 the network, since each of its hosts has 2⁶⁴."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return address
