"""Pushing: the very bytes, in one commit, and a clear word for everything that a hub can answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from export_kit import chat, imported, studio

from corpusmith import Studio
from corpusmith.errors import CorpusmithError
from corpusmith.service import push
from hub_server import Hub, running_hub

WHERE = "someone/things"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    # Their retries wait for seconds each.
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    with running_hub() as found:
        yield found
        huggingface_hub.close_session()


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("push")
    with studio(folder) as found:
        imported(found, folder, "d", [chat(f"{n} " + "文" * 200) for n in range(60)])
        yield found


def pushed(one: Studio, hub: Hub, repo: str = WHERE, **more: Any) -> Any:
    return one.exports.push(repo, dataset="d", endpoint=hub.url, **more)


def test_the_bytes_that_arrive_are_those_of_the_layout(
    one: Studio, hub: Hub, tmp_path: Path
) -> None:
    shown: list[tuple[int, int]] = []
    done = pushed(
        one,
        hub,
        split="test=20%",
        licence="mit",
        show=lambda sent, all_: shown.append((sent, all_)),
    )
    one.exports.write(
        tmp_path / "things", dataset="d", form="hf", split="test=20%", licence="mit", source=WHERE
    )
    names = [
        "README.md",
        "data/test-00000-of-00001.parquet",
        "data/train-00000-of-00001.parquet",
        "manifest.json",
    ]
    there = hub.files(WHERE)
    assert sorted(there) == names == list(done.files)
    for name in names[:3]:
        assert there[name] == (tmp_path / "things" / name).read_bytes()
    assert json.loads(there["manifest.json"])["records"] == 60
    assert (done.commit, done.url) == (
        hub.repos[WHERE].commits["main"][-1],
        f"{hub.url}/datasets/{WHERE}",
    )
    assert len(hub.repos[WHERE].commits["main"]) == 2
    assert shown[-1][0] <= shown[-1][1] == sum(map(len, there.values()))
    assert [sent for sent, _ in shown] == sorted(sent for sent, _ in shown)


def test_a_large_file_goes_in_parts(one: Studio, hub: Hub, tmp_path: Path) -> None:
    import random

    draw = random.Random(1)
    rows = [
        chat("".join(chr(draw.randrange(0x4E00, 0x9FA5)) for _ in range(900))) for _ in range(99)
    ]
    imported(one, tmp_path, "large", rows)
    one.exports.push(WHERE, dataset="large", endpoint=hub.url)
    assert len(hub.parts) >= 3
    one.exports.write(tmp_path / "o", dataset="large", form="hf")
    name = "data/train-00000-of-00001.parquet"
    assert hub.files(WHERE)[name] == (tmp_path / "o" / name).read_bytes()


def test_the_token_goes_to_the_hub_and_nowhere_else(one: Studio, hub: Hub, caplog: Any) -> None:
    with caplog.at_level(logging.DEBUG):
        pushed(one, hub)
    to_storage = {given for _, path, given in hub.seen if path.startswith("/storage/")}
    others = {given for _, path, given in hub.seen if not path.startswith("/storage/")}
    assert (to_storage, others) == ({False}, {True})
    assert "hf_good" not in caplog.text
    for data in hub.files(WHERE).values():
        assert b"hf_good" not in data


def test_a_second_push_replaces_what_the_first_one_left(one: Studio, hub: Hub) -> None:
    pushed(one, hub, split="test=20%")
    hub.files(WHERE)["data/notes.txt"] = b"a person's own"
    done = pushed(one, hub)
    assert sorted(hub.files(WHERE)) == [
        "README.md",
        "data/notes.txt",
        "data/train-00000-of-00001.parquet",
        "manifest.json",
    ]
    assert list(done.removed) == ["data/test-00000-of-00001.parquet"]


def test_another_branch_leaves_main_alone(one: Studio, hub: Hub) -> None:
    pushed(one, hub, branch="v1")
    pushed(one, hub, branch="v1", split="test=20%")
    assert (hub.files(WHERE), len(hub.files(WHERE, "v1"))) == ({}, 4)


def test_a_private_dataset_is_made_private(one: Studio, hub: Hub) -> None:
    pushed(one, hub, private=True)
    assert hub.repos[WHERE].private


def test_what_is_to_be_private_is_not_pushed_where_all_can_read_it(one: Studio, hub: Hub) -> None:
    hub.add(WHERE)
    assert failure(one, hub, private=True)[0] == "push_public"
    assert hub.files(WHERE) == {}


# ---------------------------------------------------------------- failures


def failure(one: Studio, hub: Hub, **more: Any) -> tuple[str, str]:
    with pytest.raises(CorpusmithError) as caught:
        pushed(one, hub, **more)
    error = caught.value
    for language in ("zh", "en"):
        text = error.message(language)  # type: ignore[arg-type]
        assert "{" not in text and "hf_good" not in text, text
    assert "hf_good" not in repr(error.data)
    return error.reason, error.message("en")


STEPS = {
    "making": "/api/repos/create",
    "looking": f"/api/datasets/{WHERE}/revision/main",
    "card": "/api/validate-yaml",
    "asking": f"/api/datasets/{WHERE}/preupload/main",
    "batch": f"/datasets/{WHERE}.git/info/lfs/objects/batch",
    "storing": "/storage/",
    "verifying": "/verify",
    "committing": f"/api/datasets/{WHERE}/commit/main",
}


CODES = {
    400: "push_bad_request",
    401: "push_unauthorised",
    402: "push_quota",
    403: "push_forbidden",
    404: "push_not_found",
    409: "push_conflict",
    412: "push_conflict",
    413: "push_quota",
    418: "push_failed",
    422: "push_bad_request",
    429: "push_rate_limited",
    500: "push_server",
    503: "push_server",
    507: "push_quota",
}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *((path, 403) for path in STEPS.values()),
        *((path, 503) for path in STEPS.values()),
        *((STEPS["committing"], status) for status in CODES if status not in (403, 503)),
    ],
)
def test_each_refusal_at_each_step_is_told_and_leaves_the_hub_as_it_was(
    one: Studio, hub: Hub, path: str, status: int
) -> None:
    hub.add(WHERE, README=b"before")
    hub.fail = lambda method, asked: (status, "said so") if asked.startswith(path) else None
    reason, _ = failure(one, hub)
    assert (reason, hub.files(WHERE)) == (CODES[status], {"README": b"before"})
    assert len(hub.repos[WHERE].commits["main"]) == 1


def test_what_the_hub_says_is_told_without_the_token(one: Studio, hub: Hub) -> None:
    hub.fail = lambda method, path: (403, "hf_good may not write here")
    assert "*** may not write here" in failure(one, hub)[1]


def test_a_wrong_token_is_told_by_its_variable(
    one: Studio, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER", "hf_wrong")
    reason, text = failure(one, hub, token_env="OTHER")
    assert (reason, "OTHER" in text, hub.repos) == ("push_unauthorised", True, {})


def test_a_commit_of_somebody_else_in_the_meantime_is_not_overwritten(
    one: Studio, hub: Hub
) -> None:
    repo = hub.add(WHERE)

    def meanwhile(method: str, path: str) -> None:
        if path.endswith("/preupload/main"):
            repo.commits["main"].append("0" * 40)

    hub.fail = meanwhile
    assert (failure(one, hub)[0], hub.files(WHERE)) == ("push_conflict", {})


def test_a_hub_that_is_not_there_is_told(one: Studio, hub: Hub) -> None:
    closed = Hub(url="http://127.0.0.1:9")
    assert failure(one, closed)[0] == "push_unreachable"


def test_a_hub_that_answers_nonsense_is_told(one: Studio, hub: Hub) -> None:
    hub.add(WHERE)
    hub.fail = lambda method, path: (200, "nonsense") if "preupload" in path else None
    assert failure(one, hub)[0] == "push_failed"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"repo": "nobody"}, "push_repo"),
        ({"repo": "a/../b"}, "push_repo"),
        ({"repo": "a/b\nc"}, "push_repo"),
        ({"branch": "../x"}, "push_branch"),
        ({"branch": "a b"}, "push_branch"),
        ({"endpoint": "http://hub.example.com"}, "push_endpoint_plain"),
        ({"endpoint": "https://me:secret@hub.example.com"}, "push_endpoint"),
        ({"endpoint": "hub"}, "push_endpoint"),
        ({"endpoint": "https://[::1"}, "push_endpoint"),
        ({"token_env": "NOT_SET"}, "push_no_token"),
        ({"token_env": "ODD"}, "push_bad_token"),
        ({"split": "train=2"}, "export_split"),
        ({"dataset": "?"}, "unknown_dataset"),
    ],
)
def test_what_can_be_known_before_is_told_before_anything_is_sent(
    one: Studio, hub: Hub, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any], code: str
) -> None:
    monkeypatch.setenv("ODD", "钥匙")
    asked: dict[str, Any] = {"repo": WHERE, "dataset": "d", "endpoint": hub.url, **how}
    with pytest.raises(CorpusmithError) as caught:
        one.exports.push(asked.pop("repo"), **asked)
    assert (caught.value.reason, hub.seen) == (code, [])
    assert "secret" not in caught.value.message("en")


def test_without_the_extra_it_is_said_what_to_install(
    one: Studio, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(push, "import_module", missing)
    reason, text = failure(one, hub)
    assert (reason, "corpusmith[hub]" in text, hub.seen) == ("push_extra_missing", True, [])
