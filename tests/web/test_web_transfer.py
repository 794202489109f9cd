"""Files into datasets and out of them, in a real browser."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx2
import pyarrow.parquet
import pytest
from playwright.sync_api import Page, expect
from web_kit import PHONE, Look, Site, aside, axe, sideways

from corpusmith.service.studio import Studio
from corpusmith.values import Selection
from corpusmith.web.exporting import Asked, formats, grouped
from corpusmith.web.importing import FIELDS, FORMATS
from web_store import DATASET, HOSTILE

NEW = "/datasets/-/import"
EXPORT = f"/datasets/{quote(DATASET)}/export"
ROWS = [{"问题": f"第 {n} 问", "答案": f"第 {n} 答", "score": n % 5 + 1} for n in range(5)]
BROKEN = ["{broken", json.dumps({"问题": HOSTILE, "答案": ""}, ensure_ascii=False)]


def jsonl(*rows: object) -> bytes:
    return "\n".join(one if isinstance(one, str) else dumped(one) for one in rows).encode()


def dumped(row: object) -> str:
    return json.dumps(row, ensure_ascii=False)


def sent(page: Page, name: str, data: bytes) -> None:
    """The file chosen, until its page is there."""
    page.set_input_files("#file", [{"name": name, "mimeType": "text/plain", "buffer": data}])
    expect(page).to_have_url(re.compile("upload=[0-9a-f]{32}"))


def contents(site: Site, dataset: str) -> list[object]:
    studio = Studio.over(site.store, "en")
    ids = [one.id for one in studio.records.page(Selection(dataset=dataset), limit=100).items]
    return [studio.reviews.get(one).content for one in sorted(ids)]


@pytest.fixture
def asked(site: Site) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=site.url, trust_env=False, timeout=60) as client:
        yield client


# ---------------------------------------------------------------- import


def test_a_file_is_mapped_imported_counted_and_taken_back(site: Site) -> None:
    page = site.open("/datasets")
    page.get_by_role("link", name="Import a file").click()
    sent(page, f"{HOSTILE[:20]}问答.jsonl", jsonl(*ROWS, ROWS[0], *BROKEN))
    page.get_by_label("Dataset").fill("from a file")
    page.get_by_label("What a row is").select_option("alpaca")
    expect(page.locator(".aside .said.bad")).to_contain_text("No row")
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_disabled()
    page.locator("[name='map.instruction']").select_option("问题")
    expect(page).to_have_url(re.compile("map.instruction=%E9%97%AE"))
    page.locator("[name='map.output']").select_option("答案")
    expect(page.locator(".aside .said.warn")).to_contain_text("6 rows can be imported, 2 rows")
    expect(page.locator(".aside")).to_contain_text("Line 7: This is not valid JSON.")
    expect(page.locator("#first-1")).to_contain_text('"instruction": "第 0 问"')
    page.reload()
    expect(page.get_by_label("Dataset")).to_have_value("from a file")
    assert axe(page) == []
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("#said")).to_contain_text("5 records imported")
    tiles = page.locator("main .tiles dd:not(.note)")
    assert tiles.all_inner_texts() == ["8", "5", "1", "2"]
    assert contents(site, "from a file")[0] == {
        "instruction": "第 0 问",
        "input": "",
        "output": "第 0 答",
        "score": 1,
    }
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the list").click()
    listed = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    assert sorted(one.split(",")[:2] for one in listed[1:]) == [
        ["6", "row_there"],
        ["7", "row_json"],
        ["8", "row_empty"],
    ]
    page.get_by_role("button", name="Take back").click()
    page.get_by_role("dialog").get_by_role("button", name="Take back").click()
    expect(page.locator("#said")).to_contain_text("5 records removed")
    assert contents(site, "from a file") == []


@pytest.mark.parametrize(
    ("name", "shape", "data", "wanted"),
    [
        ("a.json", "alpaca", dumped([{"instruction": "q", "output": "a"}]).encode(), 1),
        ("a.csv", "alpaca", "instruction,output\nq,a\nq2,a2\n".encode("utf-8-sig"), 2),
        ("a.tsv", "alpaca", b"instruction\toutput\nq\ta\n", 1),
        (
            "a.jsonl.gz",
            "kto",
            gzip.compress(jsonl({"prompt": "q", "completion": "a", "label": True}), mtime=0),
            1,
        ),
        ("a.ndjson", "pairs", jsonl({"prompt": "q", "chosen": "a", "rejected": "b"}), 1),
    ],
)
def test_each_kind_of_file_is_known_by_itself(
    site: Site, asked: httpx2.Client, name: str, shape: str, data: bytes, wanted: int
) -> None:
    came = asked.post("/api/v1/uploads", files={"file": (name, data)}).json()["id"]
    look = asked.get(NEW, params={"upload": came}, headers={"Accept-Language": "en"})
    assert look.status_code == 200
    assert f"({shape})" in look.text
    assert re.search(rf"{wanted} rows? can be imported\.", look.text)


def test_a_file_that_cannot_be_read_says_so_and_is_not_imported(
    site: Site, asked: httpx2.Client
) -> None:
    words = {"Accept-Language": "zh"}
    for name, data in (("p.parquet", b"PAR1 and nothing behind it"), ("x.bin", b"\x00\x01\x02")):
        came = asked.post("/api/v1/uploads", files={"file": (name, data)}).json()["id"]
        page = asked.get(NEW, params={"upload": came}, headers=words)
        assert page.status_code == 200 and "这样读不了这个文件" in page.text
        assert "/uploads/" not in page.text
        form = {"upload": came, "dataset": "never"}
        answer = asked.post(NEW, data=form, headers=words, follow_redirects=True)
        assert "什么都没有入库" in answer.text and "/uploads/" not in answer.text
    gone = asked.get(NEW, params={"upload": "0" * 32})
    assert (gone.status_code, gone.headers["location"]) == (303, NEW)
    assert "never" not in [one.name for one in Studio.over(site.store, "en").datasets.list()]


def test_a_name_that_is_missing_is_said_beside_its_field(site: Site, asked: httpx2.Client) -> None:
    came = asked.post("/api/v1/uploads", files={"file": ("a.jsonl", jsonl(*ROWS))}).json()["id"]
    answer = asked.post(NEW, data={"upload": came, "dataset": "长" * 300, "format": "rows"})
    assert answer.status_code == 422
    assert 'id="w-dataset"' in answer.text and "长" * 300 in answer.text


def test_another_task_is_no_import(site: Site, asked: httpx2.Client) -> None:
    assert asked.get("/datasets/-/imports/1").status_code == 422
    assert asked.post("/datasets/-/imports/1/undo").status_code == 422
    assert asked.get("/datasets/-/imports/999999").status_code == 404
    assert len(contents(site, DATASET)) == 6


def test_a_file_is_dropped_on_a_phone_in_chinese(site: Site) -> None:
    page = site.open(f"{NEW}?dataset=拖来的", Look(language="zh", width=PHONE))
    sent(page, "语料.jsonl", jsonl({"messages": [{"role": "user", "content": "在吗"}]}))
    expect(page.get_by_label("数据集")).to_have_value("拖来的")
    expect(page.locator(".aside .said.good")).to_contain_text("1 行")
    assert axe(page) == [] and not sideways(page)


# ---------------------------------------------------------------- export


def test_what_is_shown_is_what_comes(site: Site) -> None:
    page = site.open(EXPORT)
    expect(page.locator("#begins")).to_contain_text('{"messages":')
    expect(page.locator("#look")).to_contain_text("made up by the simulator")
    page.locator("#f-format").select_option("sharegpt")
    expect(page.locator("#begins")).to_contain_text('{"conversations":')
    page.locator("#f-system").select_option("own")
    expect(page.locator("#need-system_text")).not_to_be_empty()
    expect(page.locator("#download")).to_have_count(0)
    page.locator("#f-system_text").fill("说中文。")
    expect(page.locator("#begins")).to_contain_text("说中文。")
    page.get_by_label("Without", exact=True).check()
    expect(page.locator("#download")).to_have_attribute("href", re.compile("info=no"))
    page.reload()
    expect(page.locator("#begins")).to_contain_text("说中文。")
    begins = page.locator("#begins").inner_text()
    with page.expect_download() as download:
        page.locator("#download").click()
    data = Path(download.value.path()).read_text("utf-8")
    assert data.startswith(begins.rstrip("\n"))
    assert [len(json.loads(one)["conversations"]) for one in data.splitlines()] == [5] * 6


def test_what_a_trainer_would_refuse_is_counted_and_has_a_way_out(site: Site) -> None:
    page = site.open(EXPORT + "?format=dpo")
    expect(page.locator("#look .said.bad")).to_contain_text("6 records make no row")
    expect(page.locator("#look .said.bad a.num")).to_have_count(5)
    expect(page.locator("#download")).to_have_count(0)
    page.get_by_role("link", name="Take a format that holds them").click()
    expect(page.locator("#f-format")).to_have_value("messages")
    expect(page.locator("#download")).to_be_visible()


def test_the_table_s_filter_is_the_export_s(site: Site) -> None:
    first = Studio.over(site.store, "en").records.page(Selection(dataset=DATASET)).items[0].id
    Studio.over(site.store, "en").reviews.review(first, reviewer="me", add_tags=["picked"])
    page = site.open(f"/datasets/{quote(DATASET)}/records?tag=picked")
    page.get_by_role("link", name="Export these").click()
    expect(page.locator("#exporting .pill")).to_contain_text("Tag: picked")
    expect(page.locator("#look .tile").first).to_contain_text("1")
    page.locator("#f-format").select_option("json")
    expect(page.locator("#begins")).to_contain_text("scenario_labels")
    with page.expect_download() as download:
        page.locator("#download").click()
    rows = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert rows == [Studio.over(site.store, "en").reviews.get(first).content]


def test_approved_records_are_the_usual_ones_once_there_are_some(
    empty_site: Site,
) -> None:
    from web_store import fill

    aside(lambda: fill(empty_site.store))
    page = empty_site.open(EXPORT)
    expect(page.locator("#f-state")).to_have_value("any")
    studio = Studio.over(empty_site.store, "en")
    one = studio.records.page(Selection(dataset=DATASET)).items[0].id
    studio.reviews.review(one, reviewer="me", state="approved")
    page.goto(empty_site.url + EXPORT)
    expect(page.locator("#f-state")).to_have_value("approved")
    expect(page.locator("#look .tile").first).to_contain_text("1")
    page.locator("#f-state").select_option("rejected")
    expect(page.locator("#look")).to_contain_text("No record fits")
    page.get_by_role("link", name="Take all records").click()
    expect(page.locator("#look .tile").first).to_contain_text("6")


@pytest.mark.parametrize("form", formats())
def test_every_format_has_its_page_its_look_and_its_file(asked: httpx2.Client, form: str) -> None:
    query = {"format": form, "state": "any", "on_refused": "skip"}
    page = asked.get(EXPORT, params=query, headers={"Accept-Language": "zh"})
    assert page.status_code == 200 and f'value="{form}" selected' in page.text
    look = asked.get(f"{EXPORT}/look", params=query, headers={"Accept-Language": "zh"})
    assert look.status_code == 200
    file = asked.get(f"{EXPORT}/file", params=query)
    if 'id="download"' not in look.text:
        assert file.status_code == 422
        return
    assert file.status_code == 200
    if file.headers["content-type"] == "application/zip":
        with zipfile.ZipFile(io.BytesIO(file.content)) as packed:
            assert packed.testzip() is None
    elif form == "parquet":
        assert pyarrow.parquet.read_table(io.BytesIO(file.content)).num_rows == 6
    else:
        assert file.text.count("user") + file.text.count("human") >= 6


def test_options_that_a_format_has_not_are_passed_over(asked: httpx2.Client) -> None:
    query = {"format": "json", "system": "own", "good": "9", "pairs": "rating", "container": "csv"}
    file = asked.get(f"{EXPORT}/file", params=query)
    assert (file.status_code, file.headers["content-type"]) == (200, "application/json")
    assert len(file.json()) == 6


@pytest.mark.parametrize(
    "query",
    [
        {"format": "kto", "good": "9"},
        {"validation": "80"},
        {"seed": "x"},
        {"balance": "weather"},
        {"format": "hf", "shape": "nothing"},
        {"format": "messages", "container": "exe", "seed": "-1"},
        {"format": "messages", "prompt_field": "a"},
    ],
)
def test_what_cannot_be_is_said_and_never_sent(asked: httpx2.Client, query: dict[str, str]) -> None:
    words = {"Accept-Language": "zh"}
    assert asked.get(EXPORT, params=query, headers=words).status_code == 200
    look = asked.get(f"{EXPORT}/look", params=query, headers=words)
    assert look.status_code == 200 and 'id="download"' not in look.text
    assert "said bad" in look.text
    assert asked.get(f"{EXPORT}/file", params=query, headers=words).status_code in (404, 422)


def test_what_is_not_there_is_not_exported(asked: httpx2.Client) -> None:
    for path in ("/datasets/nothing/export", "/tasks/99999/export"):
        for end in ("", "/look", "/file"):
            assert asked.get(path + end).status_code == 404


# ---------------------------------------------------------------- tables


def test_every_format_stands_under_one_trainer() -> None:
    listed = [one for _, group in grouped() for one in group]
    assert sorted(listed) == sorted(set(listed)) == sorted(formats())


def test_the_shapes_of_an_import_are_the_service_s() -> None:
    from corpusmith.readers.shapes import SHAPES

    assert set(FIELDS) == set(SHAPES) == set(FORMATS) - {"auto"}


def test_parts_leave_the_rest_for_training() -> None:
    body = Asked(dataset="d", validation=10, test=5, balance="scenario", balance_count=3)
    assert body.wanted()["split"] == {"train": 0.85, "validation": 0.1, "test": 0.05}
    assert body.rows()["balance"] == "scenario=3"
