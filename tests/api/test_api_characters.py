"""Characters over REST: cards and pictures in and out, previews, a talk."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from email.message import Message
from typing import Any

import httpx2
import pytest
from api_kit import code_of

from answering import Answer, answering, chat

ALL = "/api/v1/characters"


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(*more: bytes) -> bytes:
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixels = _chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + pixels + _chunk(b"IEND", b"")


def _card(name: str) -> bytes:
    data = {"name": name, "description": "老城人", "first_mes": "你好"}
    return json.dumps({"spec": "chara_card_v2", "spec_version": "2.0", "data": data}).encode()


def _png_card(name: str) -> bytes:
    import base64

    return _png(_chunk(b"tEXt", b"chara\0" + base64.b64encode(_card(name))))


def _zip(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), data)
    return out.getvalue()


def _charx(name: str) -> bytes:
    assets = [{"type": "icon", "name": "main", "uri": "embeded://assets/main.png", "ext": "png"}]
    data = {"name": name, "description": "x", "first_mes": "hi", "assets": assets}
    card = {"spec": "chara_card_v3", "spec_version": "3.0", "data": data}
    return _zip(card_json=json.dumps(card).encode(), assets__main_png=_png())


def _imported(client: httpx2.Client, *files: tuple[str, bytes], **params: str) -> Any:
    answer = client.post(f"{ALL}/import", files=[("files", one) for one in files], params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_character_lives_and_dies(client: httpx2.Client) -> None:
    made = client.post(ALL, json={"name": "老/周", "tags": ["面馆"], "greeting": "坐。"})
    assert made.status_code == 201, made.text
    assert made.json()["picture"] is False and made.json()["tags"] == ["面馆"]
    place = f"{ALL}/%E8%80%81%2F%E5%91%A8"
    assert client.get(place).json() == made.json()
    changed = client.patch(place, json={"tags": [], "description": "中年人"}).json()
    assert (changed["tags"], changed["description"]) == ([], "中年人")
    assert client.get(ALL, params={"search": "中年"}).json()["items"] == [changed]
    assert code_of(client.post(ALL, json={"name": "老/周"}), 409) == "character_exists"
    assert client.delete(place).status_code == 204
    assert code_of(client.get(place), 404) == "unknown_character"


def test_lists_go_on_and_shipped_ones_are_copied(sqlite_client: httpx2.Client) -> None:
    place = "/api/v1/shipped/characters"
    shipped = sqlite_client.get(place, params={"language": "zh"}).json()["items"]
    name = shipped[0]["name"]
    for number in range(3):
        answer = sqlite_client.post(f"{ALL}/{name}/copy", json={"name": f"c{number}"})
        assert answer.status_code == 201, answer.text
    first = sqlite_client.get(ALL, params={"limit": 2}).json()
    rest = sqlite_client.get(ALL, params={"limit": 2, "after": first["next"]}).json()
    found = [one["name"] for page in (first, rest) for one in page["items"]]
    assert found == ["c0", "c1", "c2"] and rest["next"] is None


def test_cards_of_every_kind_come_in_together(client: httpx2.Client) -> None:
    found = _imported(
        client,
        ("a.json", _card("甲")),
        ("b.png", _png_card("乙")),
        ("c.charx", _charx("丙")),
        ("d.zip", _zip(one_json=_card("丁"), deep__two_png=_png_card("戊"), bad_json=b"{")),
        ("e.png", _png()),
        ("f.json", b""),
    )
    outcomes = {one["file"]: (one["outcome"], one["name"]) for one in found["results"]}
    assert outcomes == {
        "a.json": ("made", "甲"),
        "b.png": ("made", "乙"),
        "c.charx": ("made", "丙"),
        "d.zip/one.json": ("made", "丁"),
        "d.zip/deep/two.png": ("made", "戊"),
        "d.zip/bad.json": ("refused", None),
        "e.png": ("refused", None),
        "f.json": ("refused", None),
    }
    assert (found["made"], found["refused"]) == (5, 3)
    codes = [one["error"]["code"] for one in found["results"] if one["error"]]
    assert codes == ["card_json", "card_png_no_card", "card_empty"]
    pictures = {one["name"]: one["picture"] for one in client.get(ALL).json()["items"]}
    assert pictures == {"甲": False, "乙": True, "丙": True, "丁": False, "戊": True}


@pytest.mark.parametrize(
    ("wish", "outcome", "name"),
    [("refuse", "refused", None), ("replace", "replaced", "甲"), ("rename", "renamed", "甲 (2)")],
)
def test_a_name_that_is_taken_goes_as_was_asked(
    sqlite_client: httpx2.Client, wish: str, outcome: str, name: str | None
) -> None:
    _imported(sqlite_client, ("a.json", _card("甲")))
    found = _imported(sqlite_client, ("a.json", _card("甲")), on_conflict=wish)["results"][0]
    assert (found["outcome"], found["name"]) == (outcome, name)


def test_bombs_among_cards_are_refused_one_by_one(sqlite_client: httpx2.Client) -> None:
    text = _chunk(b"zTXt", b"chara\0\0" + zlib.compress(b"a" * (40 << 20)))
    found = _imported(
        sqlite_client,
        ("text.png", _png(text)),
        ("many.zip", _zip(big_json=b" " * (64 << 20))),
        ("nested.zip", _zip(inner_zip=_zip(a_json=_card("x")))),
        ("good.json", _card("好")),
    )
    assert [one["outcome"] for one in found["results"]] == ["refused"] * 3 + ["made"]
    codes = [one["error"]["code"] for one in found["results"][:3]]
    assert codes == ["card_too_large", "archive_ratio", "archive_nested"]


def test_a_picture_is_given_cached_and_taken_away(client: httpx2.Client) -> None:
    client.post(ALL, json={"name": "a"})
    place = f"{ALL}/a/picture"
    assert code_of(client.get(place), 404) == "no_picture_here"
    assert code_of(client.put(place, files={"file": ("a.png", b"<svg/>")}), 422).startswith("card_")
    assert client.put(place, files={"file": ("a.png", _png_card("x"))}).status_code == 204
    got = client.get(place)
    assert got.content == _png() and got.headers["content-type"] == "image/png"
    assert got.headers["x-content-type-options"] == "nosniff"
    again = client.get(place, headers={"If-None-Match": got.headers["etag"]})
    assert again.status_code == 304 and again.content == b""
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404


def test_a_card_goes_out_under_its_name_and_comes_back(client: httpx2.Client) -> None:
    name = '老周"\u202e;x'.replace("\u202e", "")
    _imported(client, ("a.png", _png_card(name)))
    path = f"{ALL}/" + "%E8%80%81%E5%91%A8%22%3Bx/card"
    for form in ("v1", "v2", "v3"):
        answer = client.get(path, params={"form": form, "as": "png"})
        assert answer.status_code == 200, answer.text
        assert "filename*=UTF-8''%E8%80%81%E5%91%A8" in answer.headers["content-disposition"]
        found = _imported(client, ("b.png", answer.content), on_conflict="replace")
        assert found["results"][0]["outcome"] == "replaced"
    told = json.loads(client.get(path).content)
    assert told["data"]["name"] == name
    client.post(ALL, json={"name": "bare"})
    assert code_of(client.get(f"{ALL}/bare/card", params={"as": "png"}), 422) == "no_picture"


def test_unsaved_fields_show_the_prompt_of_a_task(sqlite_client: httpx2.Client) -> None:
    body = {
        "character": {"name": "老周", "description": "开面馆的{{user}}"},
        "scenario": {"name": "深夜", "description": "打烊前"},
    }
    single = sqlite_client.post(f"{ALL}/preview", json=body).json()
    assert [one["role"] for one in single] == ["writer"]
    text = "".join(message["content"] for message in single[0]["messages"])
    assert "老周" in text and "开面馆的" in text and "打烊前" in text
    turns = sqlite_client.post(f"{ALL}/preview", json={**body, "mode": "turns"}).json()
    assert [one["role"] for one in turns] == ["user", "character"]
    wrong = sqlite_client.post(f"{ALL}/preview", json={**body, "turns": 21})
    assert code_of(wrong, 422) == "spec_fields"


def test_a_talk_to_try_a_character_out(sqlite_client: httpx2.Client) -> None:
    asked: list[Any] = []

    def endpoint(headers: Message, body: bytes) -> Answer:
        asked.append(json.loads(body))
        return chat("坐下，吃面。")

    messages = [{"role": "user", "content": "你好"}]
    with answering(endpoint) as address:
        sqlite_client.post(
            "/api/v1/connections",
            json={
                "name": "c",
                "base_url": f"{address}/v1",
                "model": "m",
                "price": {"input": 1.0, "output": 2.0},
            },
        )
        body = {"character": {"name": "老周"}, "connection": "c", "messages": messages}
        said = sqlite_client.post(f"{ALL}/chat", json=body).json()
        wrong = sqlite_client.post(
            f"{ALL}/chat", json={**body, "messages": [{"role": "assistant", "content": "x"}]}
        )
        unknown = sqlite_client.post(f"{ALL}/chat", json={**body, "character": "nobody"})
    assert said["text"] == "坐下，吃面。" and said["cost_usd"] == pytest.approx((9 + 3 * 2) / 1e6)
    assert "老周" in asked[0]["messages"][0]["content"] and asked[0]["messages"][1:] == messages
    assert code_of(wrong, 422) == "talk_turn"
    assert code_of(unknown, 404) == "unknown_character"
    assert len(asked) == 1
