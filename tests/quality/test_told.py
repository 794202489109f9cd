"""What verdicts tell of a text, and room that is made for records that are expected."""

from __future__ import annotations

from typing import Any

import pytest
from checks_kit import ZH

from corpusmith.contracts import CheckContext, Earlier
from corpusmith.quality.chain import build
from corpusmith.quality.duplicates import Known
from corpusmith.quality.near_index import NearIndex
from corpusmith.quality.personal_data import PersonalData
from corpusmith.values import Draft, Miss

PHONE, KEY = "13812345678", "sk-a8Fh27dKq93LmZx01PqRs6TuVw"
SECRETS = (PHONE, "12345678", KEY, "a8Fh27", "sk-a")


def _draft(answer: str) -> Draft:
    return Draft(content={"question": "怎么联系你们？", "answer": answer})


@pytest.mark.parametrize("action", ["flag", "mask", "reject"])
def test_of_a_key_only_its_kind_and_place_are_told(action: str) -> None:
    verdict = PersonalData(action=action)(_draft(f"这是我的 {KEY}，别外传。"))
    assert dict(verdict.detail) == {
        "kind": "key",
        "path": "$.answer",
        "hits": 1,
        "kinds": {"key": 1},
    }


@pytest.mark.parametrize(
    ("checks", "answer"),
    [
        ({"refusal": {"action": "flag"}}, f"很抱歉，我无法提供 {PHONE} 的资料。"),
        ({"refusal": {}}, f"很抱歉，我无法提供 {PHONE} 的资料，{KEY} 也一样。"),
        ({"repetition": {}}, f"请打 {PHONE}。" * 12),
        ({"language": {"expect": "en"}}, f"请打电话给林师傅，号码是 {PHONE}，他一直都在柜台。"),
    ],
)
def test_what_a_check_quotes_holds_no_personal_data(checks: dict[str, Any], answer: str) -> None:
    chain = build({**checks, "personal_data": {"action": "mask"}}, ZH)
    found = chain.own(_draft(answer))
    if isinstance(found, Miss):
        told = str(dict(found.detail))
    else:
        assert PHONE not in str(found.content)
        told = str({name: dict(one.detail) for name, one in found.verdicts.items()})
    assert next(iter(checks)) in told
    assert not [one for one in SECRETS if one in told]


def test_a_draft_that_fails_is_masked_as_well_as_any_other() -> None:
    chain = build({"refusal": {}, "personal_data": {"action": "mask"}}, ZH)
    draft = _draft(f"很抱歉，我无法提供帮助。请打 {PHONE}。")
    assert isinstance(chain.own(draft), Miss)
    masked = chain.masked(draft)
    assert masked.content == {
        "question": "怎么联系你们？",
        "answer": "很抱歉，我无法提供帮助。请打 ***********。",
    }
    assert chain.masked(masked) == masked


# ---------------------------------------------------------------- room

TEXTS = [f"第{n}条：{n * 7919}号仓库今天到了{n}箱货，由{n % 13}组的人清点。" for n in range(1500)]


def test_room_for_the_records_that_are_expected_is_made_once() -> None:
    known = Known(expected=20_000)
    room = known.held_bytes
    for number in range(20_000):
        known.add(number.to_bytes(16, "little"), "x")
    assert known.held_bytes == room + 20_000 * (16 + 8)
    index = NearIndex(expected=len(TEXTS))
    tables = index._bands._table
    for text in TEXTS:
        index.nearest(text)
        index.add(text)
    assert index._bands._table is tables


@pytest.mark.parametrize("expected", [0, 100, 10**12])
def test_what_is_expected_changes_no_verdict(
    expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpusmith.quality.near_duplicates._MOST_ROOM", 10_000)
    monkeypatch.setattr("corpusmith.quality.duplicates._MOST_PLACES", 1 << 14)
    context = CheckContext(language="zh", expected=expected)
    chain = build({"duplicates": {}, "near_duplicates": {}}, context)
    chain.learn(
        Earlier(place=f"#{number}", draft=_draft(text), own=False)
        for number, text in enumerate(TEXTS[:200])
    )
    found = []
    for text in (TEXTS[3], TEXTS[4] + "完毕", TEXTS[900]):
        step = chain.compared(_draft(text), "new", None)  # type: ignore[arg-type]
        with pytest.raises(StopIteration) as ended:
            step.send(None)
        found.append(ended.value.value)
    assert [getattr(one, "reason", "passed") for one in found] == [
        "exact_duplicate",
        "near_duplicate",
        "passed",
    ]


def test_tables_are_made_when_all_is_learnt_and_not_under_the_first_draft() -> None:
    chain = build({"near_duplicates": {}}, ZH)
    chain.learn(
        Earlier(place=f"#{number}", draft=_draft(text), own=False)
        for number, text in enumerate(TEXTS)
    )
    bands = chain.comparers[0]._index._bands  # type: ignore[attr-defined]
    assert bands._rows == len(bands) == len(TEXTS)
