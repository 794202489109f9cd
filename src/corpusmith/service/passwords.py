"""Passwords: which are good enough, and how they are kept.

Owns: Argon2id, and how much of it runs at once. Does not own: whose a password is (`users.py`).
One check takes 64 MiB, on purpose: so at most two run at once in a process, whoever asks.
"""

from __future__ import annotations

import threading
import unicodedata
from functools import cached_property
from typing import TYPE_CHECKING

from corpusmith.errors import UsageError
from corpusmith.store.users import folded

if TYPE_CHECKING:
    from argon2 import Parameters, PasswordHasher

LEAST, MOST = 10, 1000
AT_ONCE = 2
_SLOTS = threading.BoundedSemaphore(AT_ONCE)
_OWN_LETTERS = 4
"""What a password must have besides its owner's name."""
_RUNS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


class Passwords:
    """Hashes and checks. `parameters`: None: Argon2id's, as its library advises."""

    def __init__(self, parameters: Parameters | None = None) -> None:
        self._parameters = parameters
        self.done = 0
        """Hashes made and checked so far."""

    def hashed(self, password: str, name: str) -> str:
        """The hash to keep. Raises UsageError for a password that is too easily guessed."""
        refuse_weak(password, name)
        return self._hash(password)

    def check(self, stored: str | None, password: str) -> bool:
        """Whether it is the password of this hash. None: nobody's; it takes as long all the same,
        so that an answer's time does not tell which names there are."""
        from argon2.exceptions import InvalidHashError, VerificationError

        decoy = self._decoy  # made on first use, whoever comes first
        against = decoy if stored is None else stored
        try:
            with _SLOTS:
                self.done += 1
                self._hasher.verify(against, _normal(password))
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    def renewed(self, stored: str, password: str) -> str | None:
        """The hash anew when it was made with other parameters than ours; None: all is well."""
        return self._hash(password) if self._hasher.check_needs_rehash(stored) else None

    def _hash(self, password: str) -> str:
        with _SLOTS:
            self.done += 1
            return self._hasher.hash(_normal(password))

    @cached_property
    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher  # on use: users are few, starts are many
        from argon2.profiles import RFC_9106_LOW_MEMORY

        return PasswordHasher.from_parameters(self._parameters or RFC_9106_LOW_MEMORY)

    @cached_property
    def _decoy(self) -> str:
        import secrets

        return str(self._hasher.hash(secrets.token_urlsafe()))


def refuse_weak(password: str, name: str) -> None:
    """Raises UsageError."""
    if len(password) < LEAST:
        raise UsageError("password_short", least=LEAST)
    if len(password) > MOST:
        raise UsageError("password_long", most=MOST)
    small = folded(password).strip()
    if len(small.replace(folded(name), "")) < _OWN_LETTERS:
        raise UsageError("password_is_name")
    if small in COMMON or len(set(small)) < 4 or any(small in run for run in _BOTH_WAYS):
        raise UsageError("password_common")


_BOTH_WAYS = (*_RUNS, *(run[::-1] for run in _RUNS))


def _normal(password: str) -> bytes:
    # The same signs have several codes: which one is sent depends on the keyboard.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace")


PASSWORDS = Passwords()
"""Those of this process, unless somebody brings others."""

_TYPED_FIRST = """
password12 password123 password1234 password12345 password123456 passw0rd123 p@ssw0rd123
mypassword thepassword newpassword passwordpassword changeme123 changemenow pleasechange
letmein123 letmeinnow welcome123 welcome1234 welcome2024 welcome2025 welcome2026 admin12345
admin123456 administrator administrator1 superadmin rootroot12 root123456 qwerty1234 qwerty12345
qwerty123456 qwertyuiop1 qwertyuiop123 1qaz2wsx3edc 1q2w3e4r5t 1q2w3e4r5t6y q1w2e3r4t5 zaq12wsxcde
asdfghjkl1 asdfghjkl123 asdf123456 zxcvbnm123 1234567890a 123456789a 1234567891 12345678910
123456789q 1234512345 1122334455 1231231231 123123123a 987654321a 0987654321a a123456789
a1234567890 aa12345678 aa123456789 abc1234567 abc12345678 abc123456789 abcd123456 abcd1234567
abcd12345678 qq123456789 asd123456789 iloveyou12 iloveyou123 iloveyou1234 iloveyouforever
sunshine123 princess123 football123 baseball123 dragon12345 monkey12345 superman123
trustno1trustno1 secret1234 topsecret123 test123456 testtest12 testtest123 tester1234 guest12345
default123 temporary1 woaini1314 woaini1314520 woaini123456 5201314520 1314520520 5201314woaini
wojiushiwo wodemima123 mima123456 woaiwojia1 zhongguo123 beijing2008 520520520a corpusmith
corpusmith1 corpusmith123 yuliaogongfang
"""
COMMON = frozenset(_TYPED_FIRST.split())
"""Of our own writing: what people type first when ten signs are asked for."""
