"""Logging in and out: doors, sessions, cookies, passwords, how often one may try."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie

import pytest
from access_kit import API, WORD, House, house
from api_kit import code_of

from corpusmith.api.cookies import SESSION, own_path
from corpusmith.errors import UsageError
from corpusmith.service.access import AGE_S, IDLE_S
from corpusmith.service.users import refuse_open_door
from corpusmith.store.store import SqlStore

LOGIN, ME = f"{API}/login", f"{API}/me"
RIGHT = {"name": "anna", "password": WORD}
LOCAL = {"name": "local", "scope": "admin", "via": "local", "language": "en"}


@pytest.fixture
def empty(opened, sqlite_url: str) -> Iterator[House]:  # type: ignore[no-untyped-def]
    with house(opened(sqlite_url), people=False) as found:
        yield found


@pytest.fixture
def home(opened, sqlite_url: str) -> Iterator[House]:  # type: ignore[no-untyped-def]
    with house(opened(sqlite_url)) as found:
        yield found


@pytest.fixture
def both(store: SqlStore) -> Iterator[House]:
    """On SQLite and Postgres in turn."""
    with house(store) as found:
        yield found


# ---------------------------------------------------------------- who has to log in


def test_one_person_on_this_machine_needs_no_login(empty: House) -> None:
    assert empty.client.get(ME).json() == LOCAL


def test_with_the_first_user_everybody_logs_in(empty: House) -> None:
    made = empty.client.post(f"{API}/users", json={"name": "anna", "password": WORD})
    assert (made.status_code, made.json()["role"]) == (201, "admin")
    assert code_of(empty.client.get(ME), 401) == "login_needed"


def test_a_user_added_by_another_process_counts_at_once(empty: House) -> None:
    assert empty.client.get(ME).json() == LOCAL
    empty.studio.users.add("anna", WORD)
    empty.app.state.door._until = 0.0  # as two seconds later
    assert code_of(empty.client.get(ME), 401) == "login_needed"


@pytest.mark.parametrize(
    "more", [{"login": True}, {"hosts": frozenset({"127.0.0.1", "a.example"})}]
)
def test_a_server_for_others_has_no_local_person(  # type: ignore[no-untyped-def]
    opened, sqlite_url: str, more: dict[str, object]
) -> None:
    with house(opened(sqlite_url), people=False, **more) as found:
        assert code_of(found.client.get(ME), 401) == "login_needed"
        assert found.client.get(ME, headers=found.token("read")).json()["scope"] == "read"


def test_a_token_counts_also_where_none_is_needed(empty: House) -> None:
    said = empty.client.get(ME, headers=empty.token("read")).json()
    assert said == {**LOCAL, "name": "read token", "scope": "read", "via": "token"}
    wrong = empty.client.get(ME, headers={"Authorization": "Bearer csm_x"})
    assert code_of(wrong, 401) == "token_unknown"


DOORS = [
    ("127.0.0.1", (), True),
    ("localhost", ("localhost", "::1", "[::1]"), True),
    ("127.8.0.1", (), True),
    ("::1", (), True),
    ("0.0.0.0", (), False),
    ("::", (), False),
    ("192.168.1.2", (), False),
    ("", (), False),
    ("localhost.evil.example", (), False),
    ("127.0.0.1", ("studio.example",), False),
]


def test_a_door_stays_shut_while_nobody_is_known(store: SqlStore) -> None:
    seen = [(host, names, refusal(store, host, names)) for host, names, _ in DOORS]
    assert seen == [(host, names, None if fine else "open_door") for host, names, fine in DOORS]


def refusal(store: SqlStore, host: str, names: tuple[str, ...]) -> str | None:
    try:
        refuse_open_door(store, host, names)
    except UsageError as error:
        reached = [host, *names][-1]  # what others know it by
        assert f"at {reached}," in error.message("en") and reached in error.message("zh")
        return error.reason
    return None


def test_an_admin_or_a_token_opens_the_door(both: House) -> None:
    refuse_open_door(both.store, "0.0.0.0")
    both.store._database.now = lambda: 1e9  # before its token ends
    both.studio.tokens.add("a", days=1)
    for name in ("anna", "emil", "rosa"):
        with both.store._database.write() as connection:
            connection.exec_driver_sql(f"DELETE FROM users WHERE name = '{name}'")
    refuse_open_door(both.store, "0.0.0.0")
    both.store._database.now = lambda: 2e9
    with pytest.raises(UsageError):
        refuse_open_door(both.store, "0.0.0.0")


# ---------------------------------------------------------------- sessions


def test_a_session_lasts_from_login_to_logout(both: House) -> None:
    client = both.fresh()
    answer = client.post(LOGIN, json={**RIGHT, "name": "ANNA"})
    assert answer.json() == {"name": "anna", "scope": "admin", "next": "/"}
    me = {"name": "anna", "scope": "admin", "via": "session", "language": "en"}
    assert client.get(ME).json() == me
    secret = client.cookies[SESSION]
    assert client.post(f"{API}/logout").status_code == 204
    assert SESSION not in client.cookies
    again = both.client.get(ME, headers={"Cookie": f"{SESSION}={secret}"})
    assert code_of(again, 401) == "session_over"
    assert both.studio.users.get("anna").login_at is not None


@pytest.mark.parametrize(("origin", "secure"), [(None, False), ("https", True)])
def test_the_cookie_is_out_of_reach(home: House, origin: str | None, secure: bool) -> None:
    host = str(home.client.base_url).removeprefix("http://").rstrip("/")
    headers = {"Origin": f"{origin}://{host}"} if origin else {}
    answer = home.client.post(LOGIN, json=RIGHT, headers=headers)
    flags = SimpleCookie(answer.headers["set-cookie"])[SESSION]
    assert len(flags.value) >= 43
    assert (flags["httponly"], flags["samesite"], flags["path"]) == (True, "lax", "/")
    assert (bool(flags["secure"]), flags["domain"]) == (secure, "")
    assert int(flags["max-age"]) == AGE_S


def test_a_session_that_was_there_before_never_becomes_ones_own(home: House) -> None:
    planted = "planted-by-somebody-else"
    headers = {"Cookie": f"{SESSION}={planted}"}
    answer = home.client.post(LOGIN, json=RIGHT, headers=headers)
    assert SimpleCookie(answer.headers["set-cookie"])[SESSION].value != planted
    assert code_of(home.fresh().get(ME, headers=headers), 401) == "session_over"


def test_logging_in_again_ends_the_session_of_before(home: House) -> None:
    client = home.log_in("rosa")
    before = client.cookies[SESSION]
    home.log_in("anna", client)
    assert client.get(ME).json()["name"] == "anna"
    old = home.fresh().get(ME, headers={"Cookie": f"{SESSION}={before}"})
    assert code_of(old, 401) == "session_over"


@pytest.mark.parametrize(
    ("later", "status"),
    [
        ([IDLE_S - 60], 200),
        ([IDLE_S + 60], 401),
        ([IDLE_S - 60] * 4, 200),
        ([IDLE_S - 60] * 5, 401),
    ],
)
def test_sessions_end_when_idle_and_when_old(both: House, later: list[float], status: int) -> None:
    now = both.store._database.now()
    both.store._database.now = lambda: now
    client = both.log_in("anna")
    for step in later:
        now += step
        answer = client.get(ME)
    assert answer.status_code == status


def test_the_database_holds_no_secret(both: House) -> None:
    client = both.log_in("anna")
    made = client.post(f"{API}/tokens", json={"name": "a"}).json()["secret"]
    with both.store._database.read() as connection:
        held = [
            str(row)
            for table in ("sessions", "tokens", "users", "audit")
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}")
        ]
    assert len(held) == 1 + 1 + 3 + 2
    for secret in (client.cookies[SESSION], made, WORD):
        assert not [row for row in held if secret in row or secret.encode().hex() in row]


CHANGES = [{"role": "editor"}, {"active": False}, {"password": WORD + "!"}]


def test_a_changed_user_is_logged_out_everywhere(both: House) -> None:
    for change in CHANGES:
        admin, first, second = both.log_in("anna"), both.log_in("rosa"), both.log_in("rosa")
        assert admin.patch(f"{API}/users/rosa", json=change).status_code == 200
        for client in (first, second):
            assert code_of(client.get(ME), 401) == "session_over"
        assert admin.get(ME).status_code == 200
        both.studio.users.change("rosa", active=True, password=WORD)


def test_logging_out_everywhere_ends_ones_own_sessions_alone(both: House) -> None:
    one, other, admin = both.log_in("rosa"), both.log_in("rosa"), both.log_in("anna")
    assert one.post(f"{API}/logout", params={"everywhere": True}).status_code == 204
    assert code_of(other.get(ME), 401) == "session_over"
    third = both.log_in("rosa")
    assert admin.post(f"{API}/users/ROSA/logout").status_code == 204
    assert code_of(third.get(ME), 401) == "session_over"
    assert admin.get(ME).status_code == 200


@pytest.mark.parametrize(
    ("wish", "goes"),
    [
        ("/datasets/a?state=pending#x", "/datasets/a?state=pending#x"),
        ("/深夜", "/深夜"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("/\t/evil.example", "/"),
        ("\t//evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("evil", "/"),
        ("", "/"),
        ("/" + "a" * 2000, "/"),
        (None, "/"),
    ],
)
def test_after_login_nobody_is_led_elsewhere(wish: str | None, goes: str) -> None:
    assert own_path(wish) == goes


def test_the_answer_to_a_login_says_where_to_go(home: House) -> None:
    for wish, goes in (("/tasks/1", "/tasks/1"), ("//evil.example", "/")):
        assert home.client.post(LOGIN, json={**RIGHT, "next": wish}).json()["next"] == goes


# ---------------------------------------------------------------- wrong passwords


def test_an_unknown_name_is_told_like_a_wrong_password(home: House) -> None:
    home.studio.users.change("rosa", active=False)
    seen = []
    for name, word in (("anna", "wrong"), ("nobody", WORD), ("rosa", WORD), ("\x01", "x")):
        before = home.passwords.done
        answer = home.client.post(LOGIN, json={"name": name, "password": word})
        assert code_of(answer, 401) == "wrong_login"
        assert "set-cookie" not in answer.headers
        seen.append((answer.content, home.passwords.done - before))
    assert set(seen) == {(answer.content, 1)}


def test_too_many_wrong_passwords_have_to_wait(home: House) -> None:
    wrong = {**RIGHT, "password": "wrong"}
    assert [home.client.post(LOGIN, json=wrong).status_code for _ in range(5)] == [401] * 5
    before = home.passwords.done
    answer = home.client.post(LOGIN, json=RIGHT)
    assert code_of(answer, 429) == "too_often"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert home.passwords.done == before
    # Somebody else from elsewhere does not wait, though from here they do.
    assert code_of(home.client.post(LOGIN, json={**RIGHT, "name": "emil"}), 429) == "too_often"
    rates = home.app.state.door.rates
    rates.before_guess("192.0.2.1", "emil")
    with pytest.raises(Exception, match="wait"):
        rates.before_guess("192.0.2.1", "ANNA")


def test_right_passwords_use_up_no_tries(home: House) -> None:
    for _ in range(8):
        assert home.client.post(LOGIN, json=RIGHT).status_code == 200


def test_many_guesses_at_once_get_no_further(home: House) -> None:
    wrong = {**RIGHT, "password": "wrong"}
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: home.client.post(LOGIN, json=wrong), range(20)))
    seen = Counter(one.status_code for one in answers)
    # Two are checked at once: one more may have begun.
    assert set(seen) == {401, 429} and 5 <= seen[401] <= 6


def test_many_log_in_at_once(both: House) -> None:
    with ThreadPoolExecutor(10) as pool:
        clients = list(pool.map(lambda _: both.log_in("rosa"), range(10)))
    assert len({one.cookies[SESSION] for one in clients}) == 10
    assert {one.get(ME).json()["name"] for one in clients} == {"rosa"}


# ---------------------------------------------------------------- one's own password


def test_a_new_password_needs_the_old_one(both: House) -> None:
    mine, other = both.log_in("rosa"), both.log_in("rosa")
    token = both.token("read")
    place = f"{API}/me/password"
    wrong = mine.post(place, json={"old": "wrong", "new": "x" * 12})
    assert code_of(wrong, 403) == "wrong_password"
    weak = mine.post(place, json={"old": WORD, "new": "short"})
    assert code_of(weak, 422) == "password_short"
    by_token = both.client.post(place, json={"old": WORD, "new": WORD}, headers=token)
    assert code_of(by_token, 403) == "person_only"
    assert mine.post(place, json={"old": WORD, "new": " 新密码 is long "}).status_code == 204
    assert mine.get(ME).status_code == 200
    assert code_of(other.get(ME), 401) == "session_over"
    login = {"name": "rosa", "password": " 新密码 is long "}
    assert both.client.post(LOGIN, json=login).status_code == 200
    assert code_of(both.client.post(LOGIN, json={**RIGHT, "name": "rosa"}), 401) == "wrong_login"


def test_the_local_person_has_no_password(empty: House) -> None:
    answer = empty.client.post(f"{API}/me/password", json={"old": WORD, "new": WORD})
    assert code_of(answer, 403) == "person_only"
    assert empty.client.post(f"{API}/logout").status_code == 204
