"""Passwords: how they are kept, and how many are hashed at once."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from argon2 import Parameters, Type, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from corpusmith.errors import UsageError
from corpusmith.service.passwords import AT_ONCE, COMMON, LEAST, Passwords, refuse_weak

CHEAP = Parameters(
    type=Type.ID, version=19, salt_len=16, hash_len=16, time_cost=1, memory_cost=8, parallelism=1
)


def test_the_real_parameters_are_those_that_the_library_advises() -> None:
    passwords = Passwords()
    kept = passwords.hashed("correct horse", "anna")
    assert kept.startswith("$argon2id$")
    assert extract_parameters(kept) == RFC_9106_LOW_MEMORY
    assert passwords.check(kept, "correct horse")
    assert not passwords.check(kept, "correct horse ")
    assert passwords.renewed(kept, "correct horse") is None


def test_a_hash_of_other_parameters_is_made_anew() -> None:
    old, new = Passwords(CHEAP), Passwords(replace(CHEAP, time_cost=2))
    kept = old.hashed("correct horse", "anna")
    fresh = new.renewed(kept, "correct horse")
    assert fresh is not None and new.check(fresh, "correct horse")
    assert extract_parameters(fresh).time_cost == 2


def test_one_sign_with_two_codes_is_one_sign() -> None:
    passwords = Passwords(CHEAP)
    assert passwords.check(passwords.hashed("cafe\u0301 ｂａｒ 1234", "a"), "café bar 1234")


@pytest.mark.parametrize("stored", [None, "", "plain", "$argon2id$v=19$broken"])
def test_what_is_no_hash_is_no_password(stored: str | None) -> None:
    passwords = Passwords(CHEAP)
    assert passwords.check(stored, "correct horse") is False
    assert passwords.done == 1


def test_two_at_once_at_most() -> None:
    passwords = Passwords(CHEAP)
    running, most = 0, 0
    lock = threading.Lock()

    class Slow:
        def hash(self, password: bytes) -> str:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with lock:
                running -= 1
            return "x"

    passwords.__dict__["_hasher"] = Slow()
    threads = [
        threading.Thread(target=passwords.hashed, args=("correct horse", "a")) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, passwords.done) == (AT_ONCE, 8)


def test_every_common_password_is_one_that_would_pass_otherwise() -> None:
    assert [one for one in COMMON if len(one) < LEAST or one != one.casefold()] == []


def test_an_endless_password_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        refuse_weak("ab3$" * 251, "anna")
    assert caught.value.reason == "password_long"
