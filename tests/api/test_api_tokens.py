"""Tokens: what they may do, whose they are, when they end. How often one may ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from access_kit import API, House, house
from api_kit import code_of

from corpusmith.api.rates import Rates, network_of
from corpusmith.errors import TooOften
from corpusmith.service.access import DAY_S, LOCAL, Principal
from corpusmith.store.store import SqlStore

ALL, ME = f"{API}/tokens", f"{API}/me"


@pytest.fixture
def home(store: SqlStore) -> Iterator[House]:
    with house(store) as found:
        yield found


@pytest.fixture
def small(opened, sqlite_url: str) -> Iterator[House]:  # type: ignore[no-untyped-def]
    with house(opened(sqlite_url)) as found:
        yield found


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_token_lives_and_dies(home: House) -> None:
    rosa = home.log_in("rosa")
    made = rosa.post(ALL, json={"name": "夜间/导出", "scope": "review", "days": 7})
    assert made.status_code == 201
    secret, token = made.json()["secret"], made.json()["token"]
    assert secret.startswith("csm_") and len(secret) >= 47
    assert {key: token[key] for key in ("id", "name", "scope", "user", "state", "used_at")} == {
        "id": 1,
        "name": "夜间/导出",
        "scope": "review",
        "user": "rosa",
        "state": "active",
        "used_at": None,
    }
    assert home.client.get(ME, headers=bearer(secret)).json() == {
        "name": "rosa",
        "scope": "review",
        "via": "token",
        "language": "en",
    }
    shown = rosa.get(f"{ALL}/1").json()
    assert shown["used_at"] is not None
    assert secret not in rosa.get(ALL).text
    gone = rosa.delete(f"{ALL}/1").json()
    assert (gone["state"], gone["revoked_at"] is not None) == ("revoked", True)
    assert rosa.delete(f"{ALL}/1").json() == gone
    assert code_of(home.client.get(ME, headers=bearer(secret)), 401) == "token_revoked"


def test_a_token_ends_with_its_days(home: House) -> None:
    now = home.store._database.now()
    home.store._database.now = lambda: now
    short, ever = home.token("read", days=1), home.token("read", days=None)
    now += DAY_S - 1
    assert home.client.get(ME, headers=short).status_code == 200
    now += 1
    assert code_of(home.client.get(ME, headers=short), 401) == "token_expired"
    now += 4000 * DAY_S
    assert home.client.get(ME, headers=ever).status_code == 200
    assert [one.state for one in home.studio.tokens.list()] == ["active", "expired"]


GARBAGE = ["", "csm_", "csm_" + "a" * 43, "x" * 10_000, "é", "csm_\\0", "Bearer x"]


def test_garbage_is_no_token(small: House) -> None:
    for secret in GARBAGE:
        headers = {b"Authorization": f"Bearer {secret}".strip().encode("latin-1")}
        answer = small.client.get(ME, headers=headers)
        assert answer.status_code in (400, 401, 431)
        if answer.status_code == 401:
            assert code_of(answer, 401) == "token_unknown"
            assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_has_no_more_than_its_user_has_today(home: House) -> None:
    emil, admin = home.log_in("emil"), home.log_in("anna")
    made = emil.post(ALL, json={"name": "a", "scope": "edit"}).json()["secret"]

    def scope() -> str:
        said: str = home.client.get(ME, headers=bearer(made)).json()["scope"]
        return said

    assert scope() == "edit"
    admin.patch(f"{API}/users/emil", json={"role": "reviewer"})
    assert scope() == "review"
    admin.patch(f"{API}/users/emil", json={"active": False})
    assert code_of(home.client.get(ME, headers=bearer(made)), 401) == "token_owner_off"
    admin.patch(f"{API}/users/emil", json={"active": True, "role": "admin"})
    assert scope() == "edit"
    admin.delete(f"{API}/users/emil")
    assert code_of(home.client.get(ME, headers=bearer(made)), 401) == "token_unknown"


MADE = [
    ("rosa", "read", 201),
    ("rosa", "review", 201),
    ("rosa", "edit", 403),
    ("rosa", "admin", 403),
    ("emil", "edit", 201),
    ("emil", "admin", 403),
    ("anna", "admin", 201),
]


def test_nobody_makes_a_token_with_more_than_their_own(small: House) -> None:
    for name, scope, status in MADE:
        answer = small.log_in(name).post(ALL, json={"name": "a", "scope": scope})
        assert answer.status_code == status


def test_a_token_makes_none_unless_it_is_an_admins(home: House) -> None:
    for scope in ("read", "review", "edit"):
        answer = home.client.post(
            ALL, json={"name": "b", "scope": "read"}, headers=home.token(scope)
        )
        assert code_of(answer, 403) == "not_allowed"
    admins = home.token("admin", days=2)
    made = home.client.post(ALL, json={"name": "b", "days": None}, headers=admins).json()["token"]
    mother = home.studio.tokens.get(4)
    assert (made["user"], made["expires_at"]) == (None, mother.expires_at)


def test_people_see_their_own_tokens_alone(home: House) -> None:
    rosa, emil, admin = home.log_in("rosa"), home.log_in("emil"), home.log_in("anna")
    for client in (rosa, emil, rosa):
        secret = client.post(ALL, json={"name": "a"}).json()["secret"]
    home.token("read")

    def numbers(client: object, **more: object) -> list[int]:
        return [one["id"] for one in client.get(ALL, **more).json()["items"]]  # type: ignore[attr-defined]

    assert numbers(rosa) == [3, 1]
    assert numbers(emil) == [2]
    assert numbers(admin) == [4, 3, 2, 1]
    assert numbers(home.client, headers=bearer(secret)) == [3]
    first = admin.get(ALL, params={"limit": 3}).json()
    assert numbers(admin, params={"limit": 3, "after": first["next"]}) == [1]
    for method in ("GET", "DELETE"):
        assert code_of(emil.request(method, f"{ALL}/1"), 404) == "unknown_token"
        other = home.client.request(method, f"{ALL}/1", headers=bearer(secret))
        assert code_of(other, 404) == "unknown_token"
    assert code_of(admin.get(f"{ALL}/{10**18 - 1}"), 404) == "unknown_token"
    assert code_of(admin.get(f"{ALL}/{10**30}"), 404) == "no_such_page"
    assert home.client.delete(f"{ALL}/3", headers=bearer(secret)).json()["state"] == "revoked"
    assert admin.delete(f"{ALL}/1").json()["state"] == "revoked"


def test_the_use_of_a_token_is_noted_once_a_minute(home: House) -> None:
    now = home.store._database.now()
    home.store._database.now = lambda: now
    headers = home.token("read")
    seen = set()
    for step in (0, 30, 29, 2, 57, 4):
        now += step
        home.client.get(ME, headers=headers)
        seen.add(home.studio.tokens.get(1).used_at)
    assert len(seen) == 3


MISFITS = [
    ({"name": ""}, "spec_fields"),
    ({"name": "a\u202eb"}, "token_name"),
    ({"name": "a", "scope": "root"}, "spec_fields"),
    ({"name": "a", "days": 0}, "spec_fields"),
    ({"name": "a", "days": 10**30}, "spec_fields"),
    ({"name": "a", "days": "9"}, "spec_fields"),
    ({"name": "a", "user": "anna"}, "spec_fields"),
]


def test_what_does_not_fit_makes_no_token(small: House) -> None:
    for body, code in MISFITS:
        rosa = small.log_in("rosa")
        assert code_of(rosa.post(ALL, json=body), 422) == code
        assert rosa.get(ALL).json()["items"] == []


# ---------------------------------------------------------------- how often


def test_garbage_is_answered_only_so_often(small: House) -> None:
    headers = bearer("csm_" + "a" * 43)
    seen = [small.client.get(ME, headers=headers).status_code for _ in range(32)]
    assert seen == [401] * 30 + [429] * 2
    late = small.client.get(ME, headers=headers)
    assert code_of(late, 429) == "too_often"
    assert int(late.headers["retry-after"]) >= 1
    # Whoever has a good one is not held up by who has not.
    assert small.client.get(ME, headers=small.token("read")).status_code == 200


def test_a_page_that_goes_on_asking_after_its_session_harms_nobody(small: House) -> None:
    assert {small.client.get(ME).status_code for _ in range(40)} == {401}
    assert small.audit(action="me") == []


def test_ones_many_requests_do_not_hold_up_another() -> None:
    rates = Rates()
    rosa = Principal(name="rosa", scope="review", via="session", user_id=1)
    for _ in range(60):
        rates.costly(rosa)
    for who in (rosa, Principal(name="rosa", scope="read", via="token", user_id=1, token_id=9)):
        with pytest.raises(TooOften) as caught:
            rates.costly(who)
        assert 1 <= caught.value.data["seconds"] <= 60
    rates.costly(Principal(name="emil", scope="edit", via="session", user_id=2))
    rates.costly(Principal(name="a", scope="edit", via="token", token_id=1))
    for _ in range(600):
        rates.costly(LOCAL)
    with pytest.raises(TooOften):
        rates.costly(LOCAL)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("", "", True),
    ],
)
def test_addresses_of_one_network_are_counted_together(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) == same
