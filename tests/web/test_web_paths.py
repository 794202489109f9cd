"""The way of a new user, job by job: from an empty database to a file for a trainer.

Everything is clicked, the simulator is the one of the first page, and the file's bytes are read.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from web_kit import Look, Site, becomes

from corpusmith.service.studio import Studio
from corpusmith.values import Language
from running_kit import working

SOON = 30_000


@pytest.fixture
def fresh(empty_site: Site) -> Iterator[Site]:
    """An empty database with a worker beside the server."""
    url = empty_site.store.database.url.render_as_string(hide_password=False)
    try:
        with working(str(url)):
            yield empty_site
    finally:
        empty_site.app.state.simulator.close()


def begun(site: Site, language: Language) -> Page:
    """The first page, with the simulator started from it."""
    page = site.open("/", Look(language=language))
    page.locator("form[action='/simulator/start'] button").click()
    expect(page.locator("#said .said.good")).to_be_visible(timeout=SOON)
    return page


def started(page: Page, count: int) -> None:
    """The form that is open, sent; until its task has all."""
    expect(page.locator("#preview .said.good")).to_be_visible(timeout=SOON)
    page.locator("#making .btn.main").click()
    expect(page).to_have_url(re.compile(r"/tasks/\d+$"))
    expect(page.locator(".huge")).to_contain_text(f"{count} / {count}", timeout=SOON)
    expect(page.locator(".under-head .pill.good")).to_be_visible(timeout=SOON)


def chosen(page: Page, form: str, **more: str) -> None:
    """A format of the export page, and options that it brings."""
    page.locator("#f-format").select_option(form)
    expect(page).to_have_url(re.compile(f"format={form}(&|$)"))
    for name, value in more.items():
        field = page.locator(f"#exporting [name='{name}']").first
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
        expect(page).to_have_url(re.compile(f"{name}={value}(&|$)"))


def downloaded(page: Page) -> tuple[str, bytes]:
    """Name and bytes of what the page offers, once it says how the choice in its address looks."""
    link = page.locator("#download")
    becomes(
        page,
        """() => {
            const link = document.getElementById("download");
            if (!link) return false;
            const there = new URL(link.href).searchParams;
            const said = [...new URLSearchParams(location.search)];
            return said.every(([name, one]) => there.get(name) === one);
        }""",
    )
    with page.expect_download() as download:
        link.click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(one) for one in data.decode("utf-8").splitlines()]


def texts_in(value: Any) -> Iterator[str]:
    """All texts at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from texts_in(one)


def test_dialogues_are_made_watched_added_to_a_dataset_and_exported(fresh: Site) -> None:
    page = begun(fresh, "zh")
    page.locator("a[href='/generate/dialogue?example=1']").click()
    page.locator("#f-count").fill("3")
    page.get_by_label("完成后自动入库").uncheck()
    started(page, 3)
    page.get_by_role("button", name="确认入库").click()
    page.locator("#commit").get_by_role("button", name="确认入库").click()
    expect(page.locator("#said")).to_contain_text("3")
    page.locator(".under-head a").click()
    expect(page.locator("h1")).to_have_text("示例：角色对话")
    page.get_by_role("link", name="导出", exact=True).click()
    expect(page.locator("#look .tile").nth(1)).to_contain_text("3", timeout=SOON)
    shown = page.locator("#begins").inner_text()
    name, data = downloaded(page)
    rows = lines(data)
    records = Studio.over(fresh.store, "zh").tasks.first(1, 9)
    assert name == "示例：角色对话-messages.jsonl"
    assert data.decode().startswith(shown.rstrip("\n"))
    assert [one["messages"] for one in rows] == [one.content["dialogues"] for one in records]
    roles = {tuple(turn["role"] for turn in one["messages"]) for one in rows}
    assert roles == {("user", "assistant") * 3}


def test_a_template_becomes_a_file_for_llama_factory(fresh: Site) -> None:
    page = begun(fresh, "en")
    page.locator("a[href='/generate/template?example=1']").click()
    page.locator("#f-count").fill("4")
    started(page, 4)
    page.get_by_role("link", name="Export", exact=True).click()
    chosen(page, "alpaca")
    name, data = downloaded(page)
    assert name.endswith("-alpaca.zip")
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.testzip() is None
        files = {one: packed.read(one) for one in packed.namelist()}
    info = json.loads(files["dataset_info.json"])
    rows = [row for entry in info.values() for row in lines(files[entry["file_name"]])]
    records = Studio.over(fresh.store, "en").tasks.first(1, 9)
    wanted = Counter((one.content["question"], one.content["answer"]) for one in records)
    assert Counter((one["instruction"], one["output"]) for one in rows) == wanted
    assert len(rows) == 4 and len(info) == 1


def test_shares_are_kept_to_the_file(fresh: Site) -> None:
    page = begun(fresh, "zh")
    page.goto(fresh.url + "/generate")
    page.locator("a[href='/generate/ratio?example=1']").click()
    page.locator("#f-total").fill("10")
    started(page, 10)
    page.locator(".under-head a").click()
    page.get_by_role("link", name="语料", exact=True).click()
    page.locator("#filters summary").click()
    page.locator("#filters select[name='category']").select_option("历史")
    expect(page.locator("#count")).to_contain_text("3")
    page.reload()
    page.get_by_role("link", name="导出这些").click()
    chosen(page, "csv")
    name, data = downloaded(page)
    assert name.endswith("-csv.csv") and data.count(b"\r\n") == 4
    page.goto(page.url.partition("?")[0] + "?format=json")
    records = json.loads(downloaded(page)[1])
    kept = Studio.over(fresh.store, "zh").records.facets("示例：按比例").categories.values
    assert (len(records), dict(kept)) == (10, {"常识": 5, "历史": 3, "科学": 2})


def test_corrections_become_pairs(fresh: Site, tmp_path: Path) -> None:
    given = [{"question": f"Why {n}?", "answer": "So.", "correction": f"Better {n}."} for n in "ab"]
    source = tmp_path / "triples.json"
    source.write_text(json.dumps(given), "utf-8")
    page = begun(fresh, "en")
    page.goto(fresh.url + "/generate/rounds")
    page.locator("#file-input").set_input_files(str(source))
    expect(page.locator("#f-input option:checked")).to_have_text("triples.json")
    page.locator("#f-rounds").fill("1")
    started(page, 2)
    page.get_by_role("link", name="Export", exact=True).click()
    chosen(page, "dpo_trl", rounds="single")
    rows = lines(downloaded(page)[1])
    records = Studio.over(fresh.store, "en").tasks.first(1, 9)
    told = [turn for one in records for turn in one.content["rounds"]]
    assert len(told) == 4 and {one["question"] for one in told} >= {"Why a?", "Why b?"}
    assert Counter(
        (one["chosen"][0]["content"], one["rejected"][0]["content"]) for one in rows
    ) == (Counter((one["correction"], one["answer"]) for one in told))


def test_ratings_become_files_to_train_on(fresh: Site, tmp_path: Path) -> None:
    row = {"user_input": "你好？", "model_response": "在的。", "model_name": "m", "timestamp": "t"}
    given = [{**row, "id": str(at), "rating": at} for at in range(1, 6)]
    source = tmp_path / "评分.jsonl"
    source.write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in given), "utf-8")
    page = fresh.open("/", Look(language="zh"))
    page.get_by_role("link", name="生成", exact=True).click()
    page.locator("a[href='/generate/feedback']").click()
    page.locator("#file-source").set_input_files(str(source))
    expect(page.locator("#f-source option:checked")).to_have_text("评分.jsonl")
    page.locator("#making .btn.main").click()
    expect(page.locator(".said.good").first).to_contain_text("2", timeout=SOON)
    with page.expect_download() as download:
        page.locator(".end .btn.main").click()
    with zipfile.ZipFile(Path(download.value.path())) as packed:
        files = {one: packed.read(one) for one in packed.namelist()}
    alpaca = json.loads(files["alpaca_format_samples.json"])
    assert alpaca == [{"instruction": "你好？", "input": "", "output": "在的。"}] * 2
    kept = lines(files["high_quality_samples.jsonl"])
    assert [(one["feedback_id"], one["rating"]) for one in kept] == [("4", 4), ("5", 5)]


def test_self_play_becomes_pairs_of_the_first_and_the_last_answer(fresh: Site) -> None:
    page = begun(fresh, "zh")
    page.locator("a[href='/generate/selfplay?example=1']").click()
    page.locator("#f-count").fill("2")
    started(page, 2)
    page.locator(".under-head a").click()
    page.get_by_role("link", name="导出", exact=True).click()
    chosen(page, "dpo_trl", refinement="final")
    rows = lines(downloaded(page)[1])
    records = Studio.over(fresh.store, "zh").tasks.first(1, 9)
    steps = [one.content["refinement_process"] for one in records]
    assert len(rows) == 2 == len(steps)
    for row, step in zip(rows, steps, strict=True):
        first, last = row["rejected"][0]["content"], row["chosen"][0]["content"]
        assert first != last
        assert {first, last} <= set(texts_in(step))
