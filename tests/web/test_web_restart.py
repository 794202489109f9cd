"""The server is killed under an open page, and comes back: `corpusmith serve`, as a process."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect
from web_kit import Watch

from corpusmith import Studio
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import Running, run_in_thread
from running_kit import dialogue, program, until

SOON = 60_000
COUNT = 60


@pytest.fixture(scope="module")
def simulator() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig(latency_ms=250, jitter=0)) as running:
        yield running


class Served:
    """A server on one port, as often as it is started."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        words = ("serve", "--json", "--no-browser", "--port", str(self.port))
        self.process = program(*words, home=self.home)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if json.loads(line)["event"] == "listening":
                return
        raise AssertionError(self.process.communicate()[1])

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=60)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path / "home")
    served.start()
    yield served
    served.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    watch = Watch(host=f"127.0.0.1:{served.port}")
    watch.over(page)
    yield page
    context.close()
    # While the server was away, the browser said so by itself, and htmx what it was asking.
    away = ("ERR_", "Failed to fetch")
    assert [one for one in watch.problems if not any(sign in one for sign in away)] == []


def _task(served: Served, simulator: Running) -> int:
    fields = dialogue(simulator, COUNT, concurrency=4, dataset="夜谈")
    made = httpx2.post(f"{served.url}/api/v1/tasks", json=fields, trust_env=False, timeout=60)
    assert made.status_code == 201, made.text
    return int(made.json()["id"])


def test_a_page_says_that_its_server_is_away_and_goes_on_when_it_is_back(
    served: Served, simulator: Running, page: Page
) -> None:
    number = _task(served, simulator)
    with Studio(f"sqlite:///{served.home / 'corpusmith.db'}", language="en") as studio:
        page.goto(f"{served.url}/tasks/{number}")
        page.evaluate("window.still = true")
        until(lambda: studio.tasks.get(number).counts.accepted >= 8)
        expect(page.locator("#away")).to_be_hidden()
        served.kill()
        expect(page.locator("#away")).to_be_visible(timeout=SOON)
        until(lambda: studio.tasks.get(number).lease_owner is None)
        assert 0 < studio.tasks.get(number).counts.accepted < COUNT
        served.start()
        expect(page.locator("#away")).to_be_hidden(timeout=SOON)
        expect(page.locator(".huge")).to_contain_text(f"{COUNT} / {COUNT}", timeout=SOON)
        expect(page.locator(".under-head .pill.good")).to_be_visible(timeout=SOON)
        assert page.evaluate("window.still")  # it was never loaded anew
        task = studio.tasks.get(number)
        assert (task.status, task.counts.accepted) == ("finished", COUNT)
        assert studio.store.records.count(dataset="夜谈") == COUNT
        calls = studio.task_views.get(number).spend.calls
        assert COUNT <= calls <= COUNT + 4  # what was on its way at the moment of the kill


def test_what_was_being_typed_is_there_when_the_server_is_back(served: Served, page: Page) -> None:
    page.goto(f"{served.url}/scenarios/-/new")
    page.get_by_label("Name").fill("typed before")
    served.kill()
    page.get_by_label("Description").fill("typed while it was away")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("chrome-error://**")
    served.start()
    page.goto(f"{served.url}/scenarios/-/new")
    expect(page.get_by_label("Name")).to_have_value("typed before")
    expect(page.get_by_label("Description")).to_have_value("typed while it was away")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#said")).to_contain_text("typed before")


def test_the_list_of_tasks_says_so_too(served: Served, page: Page) -> None:
    page.goto(f"{served.url}/tasks")
    served.kill()
    expect(page.locator("#away")).to_be_visible(timeout=SOON)
    served.start()
    expect(page.locator("#away")).to_be_hidden(timeout=SOON)


def test_a_change_that_was_sent_while_it_was_away_can_be_sent_again(
    served: Served, page: Page
) -> None:
    made = {"name": "rain", "description": "It rains."}
    httpx2.post(f"{served.url}/api/v1/scenarios", json=made, trust_env=False, timeout=60)
    page.goto(f"{served.url}/scenarios")
    page.get_by_role("link", name="rain", exact=True).click()
    page.get_by_label("Description").fill("It snows.")
    served.kill()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("chrome-error://**")
    served.start()
    page.goto(f"{served.url}/scenarios/rain")
    expect(page.get_by_label("Description")).to_have_value("It snows.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#said")).to_contain_text("saved")
    page.get_by_role("link", name="rain", exact=True).click()
    expect(page.get_by_label("Description")).to_have_value("It snows.")
