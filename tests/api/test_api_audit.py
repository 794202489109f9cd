"""Users over REST, and the log of who did what."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from access_kit import API, WORD, House, house
from api_kit import code_of

from corpusmith.store.access_values import Deed
from corpusmith.store.store import SqlStore

USERS, LOG, SCENARIOS = f"{API}/users", f"{API}/audit", f"{API}/scenarios"


@pytest.fixture
def home(store: SqlStore) -> Iterator[House]:
    with house(store) as found:
        yield found


@pytest.fixture
def small(opened, sqlite_url: str) -> Iterator[House]:  # type: ignore[no-untyped-def]
    with house(opened(sqlite_url)) as found:
        yield found


@pytest.fixture
def empty(opened, sqlite_url: str) -> Iterator[House]:  # type: ignore[no-untyped-def]
    with house(opened(sqlite_url), people=False) as found:
        yield found


# ---------------------------------------------------------------- users


def test_a_user_lives_and_dies(home: House) -> None:
    admin = home.log_in("anna")
    made = admin.post(USERS, json={"name": " 林/晓 ", "password": WORD})
    assert made.status_code == 201
    shown = made.json()
    assert (shown["name"], shown["role"], shown["active"]) == ("林/晓", "reviewer", True)
    place = f"{USERS}/%E6%9E%97%2F%E6%99%93"
    assert admin.get(place).json() == shown
    assert admin.patch(place, json={"role": "editor"}).json()["role"] == "editor"
    listed = [one["name"] for one in admin.get(USERS).json()["items"]]
    assert listed == ["anna", "emil", "rosa", "林/晓"]
    assert [one["name"] for one in admin.get(USERS, params={"search": "MI"}).json()["items"]] == [
        "emil"
    ]
    assert admin.delete(place).status_code == 204
    assert code_of(admin.get(place), 404) == "unknown_user"
    for text in (made.text, admin.get(USERS).text):
        assert "password" not in text and "argon2" not in text


def test_somebody_can_always_let_others_in(home: House) -> None:
    admin = home.log_in("anna")
    for change in ({"role": "editor"}, {"active": False}):
        assert code_of(admin.patch(f"{USERS}/anna", json=change), 409) == "last_admin"
    assert code_of(admin.delete(f"{USERS}/Anna"), 409) == "last_admin"
    assert admin.patch(f"{USERS}/emil", json={"role": "admin", "active": False}).status_code == 200
    assert code_of(admin.delete(f"{USERS}/anna"), 409) == "last_admin"
    assert admin.patch(f"{USERS}/emil", json={"active": True}).status_code == 200
    assert admin.delete(f"{USERS}/anna").status_code == 204


def test_the_first_user_is_an_admin(empty: House) -> None:
    wrong = empty.client.post(USERS, json={"name": "a", "password": WORD, "role": "editor"})
    assert code_of(wrong, 422) == "first_user_admin"
    assert empty.client.get(f"{API}/me").json()["via"] == "local"


ALIKE = ["ANNA", "Anna", "ａｎｎａ", " anna "]


def test_names_that_look_alike_are_one_persons(home: House) -> None:
    for name in ALIKE:
        admin = home.log_in("anna")
        answer = admin.post(USERS, json={"name": name, "password": WORD})
        assert code_of(answer, 409) == "user_exists"


UNSEEN = ("a\nb", "a\u202eb", "\0", "a\0b", "a\x1b[31mb", "\u200b", "   ")


def test_names_that_cannot_be_seen_are_none(small: House) -> None:
    for name in UNSEEN:
        answer = small.log_in("anna").post(USERS, json={"name": name, "password": WORD})
        assert code_of(answer, 422) in ("user_name", "spec_fields", "body_nul")


HOSTILE_NAMES = ["<b>x</b>", "../../etc", "'; DROP TABLE users; --", "=1+1", "%2F"]


def test_a_hostile_name_is_only_a_name(home: House) -> None:
    for name in HOSTILE_NAMES:
        home.studio.users.add(name, WORD, "editor")
        client = home.log_in(name)
        assert client.get(f"{API}/me").json()["name"] == name
        client.post(SCENARIOS, json={"name": name})
        assert home.audit(action="add_scenario", who=name) == [
            (name, "session", "add_scenario", "", 201)
        ]


GUESSED = [
    ("tiny 字", "password_short"),
    ("1234567890", "password_common"),
    (" 1234567890", "password_common"),
    ("QWERTYUIOP", "password_common"),
    ("aaaaaaaaaaaa", "password_common"),
    ("Password123", "password_common"),
    ("Woaini1314520", "password_common"),
    ("augustine12", "password_is_name"),
    ("augustineaugustine", "password_is_name"),
]


def test_a_password_that_many_guess_is_refused(small: House) -> None:
    for word, code in GUESSED:
        admin = small.log_in("anna")
        answer = admin.post(USERS, json={"name": "Augustine", "password": word})
        assert code_of(answer, 422) == code
        assert word not in answer.text


# ---------------------------------------------------------------- the log


def test_the_log_says_who_did_what(home: House) -> None:
    emil, rosa = home.log_in("emil"), home.log_in("rosa")
    emil.post(SCENARIOS, json={"name": "深夜/食堂"})
    emil.patch(f"{SCENARIOS}/深夜%2F食堂", json={"weight": 2})
    emil.get(SCENARIOS)
    emil.post(SCENARIOS, json={"name": "深夜/食堂"})
    emil.post(SCENARIOS, json={"name": ""})
    rosa.delete(f"{SCENARIOS}/深夜%2F食堂")
    home.client.delete(f"{SCENARIOS}/深夜%2F食堂")
    home.client.delete(f"{SCENARIOS}/深夜%2F食堂", headers=home.token("edit"))
    home.client.post(f"{API}/login", json={"name": "Anna\x1b[2J", "password": "secret word"})
    admin = home.log_in("anna")
    made = admin.post(USERS, json={"name": "neu", "password": WORD}).json()
    admin.post(f"{API}/tokens", json={"name": "t"})
    assert home.audit() == [
        ("emil", "session", "login", "", 200),
        ("rosa", "session", "login", "", 200),
        ("emil", "session", "add_scenario", "", 201),
        ("emil", "session", "change_scenario", "深夜%2F食堂", 200),
        ("rosa", "session", "delete_scenario", "深夜%2F食堂", 403),
        ("", "none", "delete_scenario", "深夜%2F食堂", 401),
        ("edit token", "token", "delete_scenario", "深夜%2F食堂", 204),
        ("Anna�[2J", "none", "login", "", 401),
        ("anna", "session", "login", "", 200),
        ("anna", "session", "add_user", made["name"], 201),
        ("anna", "session", "add_token", "2", 201),
    ]
    rows = admin.get(LOG).json()["items"]
    assert {one["address"] for one in rows} == {"127.0.0.1"}
    assert [one["token_id"] for one in rows if one["via"] == "token"] == [1]
    assert "secret word" not in admin.get(LOG).text


def test_the_local_person_is_in_the_log(empty: House) -> None:
    empty.client.post(SCENARIOS, json={"name": "a"})
    assert empty.audit() == [("local", "local", "add_scenario", "", 201)]


def test_the_log_is_searched_and_paged(home: House) -> None:
    now = 1_700_000_000.0
    home.store._database.now = lambda: now
    for number in range(7):
        now += 60
        who = "anna" if number % 2 else "emil"
        home.studio.audit.add(Deed(who=who, via="session", action=f"a{number % 3}", target="x/1"))
    headers = home.token("admin", days=None)

    def ids(**filters: object) -> list[int]:
        answer = home.client.get(LOG, params=filters, headers=headers)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["items"]]

    assert ids() == [7, 6, 5, 4, 3, 2, 1]
    assert ids(who="anna") == [6, 4, 2]
    assert ids(who="emil", action="a0") == [7, 1]
    assert ids(target="x/1", limit=2) == [7, 6]
    assert ids(target="x") == []
    assert ids(**{"from": "2023-11-14T22:16:20Z"}) == [7, 6, 5, 4, 3]
    assert ids(**{"from": "2023-11-14T22:16:20", "to": "2023-11-15T06:18:20+08:00"}) == [4, 3]
    first = home.client.get(LOG, params={"limit": 5}, headers=headers).json()
    assert ids(after=first["next"]) == [2, 1]


QUESTIONS = [
    {"from": "yesterday"},
    {"to": "9" * 40},
    {"after": "x"},
    {"limit": 0},
    {"who": "a" * 301},
    {"after": "MTAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA"},
]


def test_a_wrong_question_to_the_log_is_told(small: House) -> None:
    for params in QUESTIONS:
        answer = small.client.get(LOG, params=params, headers=small.token("admin"))
        assert code_of(answer, 422) in ("spec_fields", "bad_cursor")


TIMES = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]


def test_any_time_may_be_asked_for(small: House) -> None:
    for when in TIMES:
        headers = small.token("admin")
        assert small.client.get(LOG, params={"from": when}, headers=headers).status_code == 200


def test_old_rows_go(home: House) -> None:
    now = 1e9
    home.store._database.now = lambda: now
    for number in range(5):
        home.studio.audit.add(Deed(who=str(number), via="cli", action="a"))
        now += 100 * 86_400
    assert home.studio.audit.prune() == 2  # those of 500 and 400 days ago
    home.store.settings.set("audit_days", 150)
    assert home.studio.audit.prune() == 2
    assert [row[0] for row in home.audit()] == ["4"]


def test_the_environment_says_how_long_before_the_database_does(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert home.studio.audit.days() == 365
    home.store.settings.set("audit_days", 150)
    assert home.studio.audit.days() == 150
    monkeypatch.setenv("CORPUSMITH_AUDIT_DAYS", "30")
    assert home.studio.audit.days() == 30


def test_the_log_prunes_itself(small: House) -> None:
    now = small.store._database.now()
    small.store._database.now = lambda: now - 366 * 86_400
    small.studio.audit.add(Deed(who="old", via="cli", action="a"))
    small.store._database.now = lambda: now
    small.log_in("anna")
    assert [row[0] for row in small.audit()] == ["anna"]
