"""Personal data: what must be found, and as many texts that only look like it."""

from __future__ import annotations

import copy
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmith import registry
from corpusmith.errors import SpecError
from corpusmith.messages import LANGUAGES, catalog
from corpusmith.quality.personal import KINDS, find, id_checksum, luhn, shown
from corpusmith.quality.personal_data import PersonalData
from corpusmith.values import PASS, Draft, Json, Verdict

ALL = tuple(KINDS)


def key(*parts: str) -> str:
    """A key of nobody, in parts: whole, it would look like a leak in this repository."""
    return "".join(parts)


JWT = key("eyJhbGciOiJIUzI1NiJ9", ".", "eyJzdWIiOiI5ODc2NTQzMjEwIn0", ".", "dBjftJeZ4CVPmB92K27uhb")
PEM = key("-----BEGIN RSA PRIVATE", " KEY-----\n", "MIIEowIBAAKCAQEAu1SU1LfVLPHCozMxH2Mo4lgO\n")
PEM_END = key("-----END RSA PRIVATE", " KEY-----")

HITS = [
    # phone numbers
    ("phone", "我的电话是13812345678，随时打", "13812345678"),
    ("phone", "打13800138000", "13800138000"),
    ("phone", "手机:138-1234-5678", "138-1234-5678"),
    ("phone", "手机 138 1234 5678", "138 1234 5678"),
    ("phone", "1381 234 5678", "1381 234 5678"),
    ("phone", "+8613812345678", "+8613812345678"),
    ("phone", "+86 199-1234-5670", "+86 199-1234-5670"),
    ("phone", "(+86)13812345678", "(+86)13812345678"),
    ("phone", "0086 13812345678", "0086 13812345678"),
    ("phone", "１３８１２３４５６７８", "１３８１２３４５６７８"),
    ("phone", "找李四13812345678。", "13812345678"),
    ("phone", "订单请联系 138-1234-5678", "138-1234-5678"),
    ("phone", "phone=13812345678&x=1", "13812345678"),
    ("phone", "座机 010-62751234", "010-62751234"),
    ("phone", "座机(0755)86013388", "(0755)86013388"),
    ("phone", "call (415) 867-5309 now", "(415) 867-5309"),
    ("phone", "415-867-5309", "415-867-5309"),
    ("phone", "+1 415.867.5309", "+1 415.867.5309"),
    ("phone", "ring +44 20 7123 4567", "+44 20 7123 4567"),
    ("phone", "+852 2345 6789", None),
    # ID numbers
    ("id_number", "身份证11010519491231002X。", "11010519491231002X"),
    ("id_number", "11010519491231002x", "11010519491231002x"),
    ("id_number", "440306199003072518", "440306199003072518"),
    ("id_number", "440306 19900307 2518", "440306 19900307 2518"),
    ("id_number", "身份证号（旧）：110105491231002", "110105491231002"),
    # e-mail
    ("email", "发到zhang.san@qq.com吧", "zhang.san@qq.com"),
    ("email", "<john_doe+work@mail.acme.co.uk>", "john_doe+work@mail.acme.co.uk"),
    ("email", "ＬＩ＠qq．com", "ＬＩ＠qq．com"),
    ("email", "13812345678@163.com", "13812345678@163.com"),
    ("email", "Write to a@b.io.", "a@b.io"),
    # bank cards
    ("bank_card", "卡号6222020200112345679", "6222020200112345679"),
    ("bank_card", "6222 0202 0011 2345 679", "6222 0202 0011 2345 679"),
    ("bank_card", "4111 1111 1111 1111", "4111 1111 1111 1111"),
    ("bank_card", "5500005555555559", "5500005555555559"),
    ("bank_card", "3782-822463-10005", "3782-822463-10005"),
    ("bank_card", "储蓄卡：9558820200001234568", "9558820200001234568"),
    # keys
    ("key", key("sk", "-proj-Ab3dEf6hIj9kLmN0pQr5tUv8"), None),
    ("key", key("key: sk", "-ant-api03-x9Kq7Wm2Pz5Vb8Nc1Lf4"), None),
    ("key", key("AKIA", "J4XKQ7RTZ2WN5LPD"), None),
    ("key", key("ghp", "_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"), None),
    ("key", key("AIza", "SyD3x9Kq7Wm2Pz5Vb8Nc1Lf4Hg6Jt0RyUwE"), None),
    ("key", key("LTAI", "5tKq7Wm2Pz5Vb8Nc1Lf4"), None),
    ("key", f"Authorization: Bearer {JWT}", JWT),
    ("key", f"密钥：\n{PEM}{PEM_END}\n", PEM + PEM_END),
    ("key", key("api_key = ", '"f3A9k2Lm8Qz7Xw1Vb6Nc"'), "f3A9k2Lm8Qz7Xw1Vb6Nc"),
    ("key", key("DB_PASSWORD=", "a8Kd92jLs0Qm3xZ7"), "a8Kd92jLs0Qm3xZ7"),
    ("key", key("密码是", "a8Kd92jLs0Qm3xZ7"), "a8Kd92jLs0Qm3xZ7"),
]
MISSES = [
    # phones
    *("订单号13912345678", "运单编号：13912345678", "Order No. 13912345678"),
    *("时间戳 13812345678", "1700000000000", "1712345678901234", "20241201143022"),
    *("batch_20241201_143022", "圆周率3.14159265358979", "1.13812345678", "13812345678.5"),
    *("¥13,812,345,678", "13800000000", "138xxxxxxxx", "138****5678", "12345678901"),
    *("12812345678", "138123456789", "SN13812345678", "13812345678ABC"),
    *("https://item.com/13812345678.html", "img_13812345678.jpg", "555-123-4567"),
    *("(415) 555-2671", "800-555-1234", "+1 888 123 4567", "400-820-8820", "911"),
    *("110、119、120", "2013-2014年", "192.168.100.200", "身高175-180", "0123-4567"),
    *("+44 7700 900123", "+20000000 元", "1+12345678901", "2024-06-15 10:30:00"),
    *("978-7-111-12345-6",),
    # ID numbers
    *("110105194912310021", "110105199002300012", "990105194912310020", "100000000000000000"),
    *("1101051949123100", "A11010519491231002X", "11010519491231002X1", "110105491231002"),
    # e-mail
    *("user@example.com", "a@mail.example.org", "b@shop.test", "you@your-domain.com"),
    *("c@localhost", "git@github.com:a/b.git", "icon@2x.png", "@app.route('/x')", "a@b"),
    *("lodash@4.17.21", "noreply@acme.com", "@user@mastodon.social", "x @ y.com"),
    *("name@company.com", "用户@中文.公司"),
    # bank cards
    *("4111111111111112", "6222020200112345678", "订单号：6222020200112345679"),
    *("0000000000000000", "1234567812345670", "9780306406157", "4006381333931"),
    *("62220202001123456790", "0x4111111111111111"),
    # keys
    *("sk-your-api-key-here-1234", "sk-xxxxxxxxxxxxxxxxxxxxxxx1", "sk-..."),
    *("sk-fading-circle-animation-box", "AKIAIOSFODNN7EXAMPLE"),
    *("api_key = os.environ['OPENAI_API_KEY']", "password: your_password_1234"),
    *("token: projects/123/secrets/my-secret-name", "max_tokens: 16000000000000000"),
    *("eyJhbGciOi.x.y", "secret=1234567890abcdef1234"),
    *("密码至少要有16个字符，包含大小写字母和数字", "-----BEGIN PUBLIC KEY-----"),
    *("The key: internationalization", "password = getpass.getpass(prompt)"),
    *("task-ab12cd34ef56ab12cd34",),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "place"), HITS)
def test_personal_data_is_found_whole(kind: str, text: str, place: str | None) -> None:
    (one,) = find(text, ALL)
    assert one.kind == kind
    assert place is None or text[one.start : one.end] == place


@pytest.mark.parametrize("text", MISSES)
def test_what_only_looks_like_personal_data_passes(text: str) -> None:
    assert [(one.kind, text[one.start : one.end]) for one in find(text, ALL)] == []


def test_kinds_can_be_switched_off() -> None:
    text = "13812345678, a.b@qq.com"
    assert [one.kind for one in find(text, ["email"])] == ["email"]
    assert [one.kind for one in find(text, ALL)] == ["phone", "email"]


def test_several_numbers_in_a_row_are_several_finds() -> None:
    text = "13812345678,13912345678/13712345678 、 13612345678"
    assert len(find(text, ALL)) == 4


@pytest.mark.parametrize(
    ("digits", "sign"), [("11010519491231002", "X"), ("44030619900307251", "8")]
)
def test_the_check_digit_of_an_id_number(digits: str, sign: str) -> None:
    assert id_checksum(digits) == sign


@given(st.from_regex(r"[1-9][0-9]{12,17}", fullmatch=True))
def test_just_one_check_digit_fits_luhn(digits: str) -> None:
    assert sum(luhn(f"{digits}{last}") for last in range(10)) == 1


@pytest.mark.parametrize(("kind", "text", "place"), HITS)
def test_a_find_is_never_told_whole(kind: str, text: str, place: str | None) -> None:
    record = Draft(content={"a": f"{text}\n{text}", "b": [text]})
    for action in ("flag", "reject", "mask"):
        detail = PersonalData(action=action)(record).detail
        assert detail["hits"] == 3 and detail["kinds"] == {kind: 3}
        secret = text[find(text, ALL)[0].start : find(text, ALL)[0].end]
        assert secret not in str(detail)
        # Nor in part, but for an address's host.
        plain = "".join(filter(str.isalnum, secret.partition("@")[0]))
        told = "".join(filter(str.isalnum, str(detail)))
        assert not any(plain[at : at + 9] in told for at in range(len(plain) - 8))
        assert len(str(detail)) < 500


@pytest.mark.parametrize(
    ("kind", "found", "told"),
    [
        ("phone", "13812345678", "138****5678"),
        ("phone", "+86 138-1234-5678", "138****5678"),
        ("phone", "１３８１２３４５６７８", "138****5678"),
        ("id_number", "11010519491231002X", "110****2X"),
        ("email", "zhang@qq.com", "z****@qq.com"),
        ("email", "ｚ＠qq.com", "z****@qq.com"),
        ("bank_card", "6222 0202 0011 2345 679", "6222****5679"),
    ],
)
def test_a_find_is_told_in_part(kind: str, found: str, told: str) -> None:
    assert shown(kind, found) == told


def test_by_default_a_find_is_a_flag() -> None:
    draft = Draft(
        content={"dialogues": [{"content": "打我电话 13812345678，或写信到 a@qq.com 吧"}]}
    )
    assert PersonalData()(draft) == Verdict(
        passed=True,
        reason="personal_data",
        detail={
            "kind": "phone",
            "found": "138****5678",
            "context": "打我电话 ***********，或写信到 *@**",
            "path": "$.dialogues[0].content",
            "hits": 2,
            "kinds": {"phone": 1, "email": 1},
        },
    )


def test_the_strongest_action_counts_and_only_its_kind_is_masked() -> None:
    run = PersonalData(action={"phone": "mask", "key": "reject"}, mask="#")
    verdict = run(Draft(content="13812345678 a@qq.com"))
    assert (verdict.action, verdict.content) == ("mask", "########### a@qq.com")
    verdict = run(Draft(content=f"13812345678 {HITS[-2][1]}"))
    assert (verdict.action, verdict.detail["kind"]) == ("reject", "key")


def test_a_mask_leaves_the_groups_of_a_number_to_be_seen() -> None:
    masked = PersonalData(action="mask")(Draft(content="138-1234-5678, a.b@qq.com")).content
    assert masked == "***-****-****, *.*@**.***"


def test_a_name_of_a_field_is_not_told_either() -> None:
    detail = PersonalData()(Draft(content={"13812345678": "13812345678"})).detail
    assert detail["path"] == "$.***********"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"kinds": []}, "check_texts"),
        ({"kinds": ["fax"]}, "check_kind"),
        ({"kinds": ["phone"], "action": {"email": "mask"}}, "check_group"),
        ({"action": "drop"}, "check_choice"),
        ({"action": ["mask"]}, "check_choice"),
        ({"mask": "8"}, "check_mask"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_options_that_make_no_sense_are_named(
    options: dict[str, Any], code: str, language: Any
) -> None:
    with pytest.raises(SpecError) as caught:
        PersonalData(**options)
    assert caught.value.reason == code
    assert "{" not in caught.value.message(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_reason_has_a_text(language: Any) -> None:
    assert registry.load("check", "personal_data") is PersonalData
    assert {"reason.personal_data", "short.personal_data"} <= set(catalog(language))


PIECES = st.lists(
    st.sampled_from([text for _, text, _ in HITS] + MISSES[::5])
    | st.text("0123456789-+ @.abX：号", max_size=9)
    | st.text(max_size=2),
    max_size=4,
).map("".join)
CONTENT = st.recursive(
    st.none() | st.integers() | PIECES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PIECES, inner, max_size=3),
    max_leaves=6,
)


@given(CONTENT)
def test_no_draft_is_changed_and_what_was_masked_passes(content: Json) -> None:
    before = copy.deepcopy(content)
    for action in ("reject", "flag", "mask"):
        run = PersonalData(action=action)
        verdict = run(Draft(content=content))
        assert content == before
        if verdict.action == "mask":
            assert run(Draft(content=verdict.content)) is PASS


@given(PIECES)
def test_masked_text_has_the_length_it_had(text: str) -> None:
    masked = PersonalData(action="mask")(Draft(content=text)).content
    assert masked is None or len(masked) == len(text)


HARD = (
    *("1", "138", "1 ", "+8", "(415) ", "13812345678,", "a", "A", "a.", "a@", "a_", "a@b.com "),
    *("eyJa.", "key=", "sk-a1", "api_", "-----BEGIN PRIVATE KEY-----"),
)


def test_hard_texts_take_no_time() -> None:
    for hard in HARD:
        began_s = time.process_time()
        find(hard * (100_000 // len(hard)), ALL)
        assert time.process_time() - began_s < 5, hard  # measured: 0.5 s at most
