"""The studio under `corpusmith serve`, asked over HTTP and by Chromium; prints one JSON line.
Called by `bench`.

python -m bench.studio lists|pages|crowd --url URL [--endpoint URL]

`lists` times the records' table by REST and as a page, over a database of `bench.records`.
`pages` times the first page in Chromium with nothing cached, and counts the bytes of scripts.
`crowd` holds a hundred pages of a running task open, then asks 200 times a second while it runs,
and compares the task with the same one alone; last it says what CPU each of those answers takes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import quote, unquote, urlencode

import aiohttp
import httpx2

from bench.asking import Crowd
from bench.processes import free_port
from bench.records import DATASET, FILTERS, WORDS
from corpusmith.store.record_walk import ORDERS

Figures = dict[str, Any]
API = "/api/v1"
EACH = 20
"""Askings of each list."""
PER_S, SECONDS = 200, 20
OPEN_PAGES = 100
TASK = {"count": 4000, "turns": 1, "characters": ["贺三娘"], "scenarios": ["日常对话"]}
IN_FLIGHT = 32


@contextlib.contextmanager
def serving(url: str, *options: str) -> Iterator[tuple[str, int]]:
    """Address and process number of a server over this database."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="corpusmith-bench-home-") as home:
        command = [sys.executable, "-m", "corpusmith", "serve", "--no-browser", "--db", url]
        process = subprocess.Popen(
            [*command, "--port", str(port), *options],
            env={**os.environ, "CORPUSMITH_HOME": home, "CORPUSMITH_LANG": "zh"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            base = f"http://127.0.0.1:{port}"
            for _ in range(300):
                with contextlib.suppress(httpx2.HTTPError):
                    if httpx2.get(f"{base}{API}/health").status_code == 200:
                        break
                time.sleep(0.1)
            yield base, process.pid
        finally:
            process.terminate()
            process.wait()


# ---------------------------------------------------------------- lists


def lists(url: str, endpoint: str | None) -> Figures:
    """Milliseconds from the request to the answer's last byte, of each list: what took long to
    find is kept for some seconds, so the first time is told apart."""
    asked = {f"first, {order}": {"order": order} for order in ORDERS}
    asked |= {name: dict(one) for name, one in {**FILTERS, **WORDS}.items()}
    found: Figures = {}
    with serving(url, "--workers", "0") as (base, _), httpx2.Client(timeout=60) as client:
        table = f"{base}/datasets/{quote(DATASET)}/records?"
        for name, fields in asked.items():
            query = urlencode({key: value for key, value in fields.items()})
            whole = urlencode({"dataset": DATASET, **fields})
            found[f"REST: {name}"] = _timed(client, f"{base}{API}/records?{whole}")
            found[f"page: {name}"] = _timed(client, f"{table}{query}")
        dataset = f"{base}/datasets/{quote(DATASET)}"
        found["page: dataset with charts"] = _timed(client, dataset)
        found["REST: facets"] = _timed(client, f"{base}{API}/records/facets?dataset={DATASET}")
    worst = sorted(found, key=lambda name: -found[name]["p95_ms"])[:12]
    first = sorted(((one["first_ms"], name) for name, one in found.items()), reverse=True)
    return {
        "worst_p95_ms": {name: found[name]["p95_ms"] for name in worst},
        "above_300_ms": [name for name in found if found[name]["p95_ms"] > 300],
        "lists": len(found),
        "median_of_p50_ms": statistics.median(one["p50_ms"] for one in found.values()),
        "asked_for_the_first_time": {
            "worst_ms": {name: took for took, name in first[:8]},
            "above_300_ms": sum(took > 300 for took, _ in first),
            "median_ms": statistics.median(took for took, _ in first),
        },
    }


def _timed(client: httpx2.Client, address: str) -> Figures:
    took = []
    for _ in range(EACH):
        began_s = time.perf_counter()
        answer = client.get(address)
        took.append(1000 * (time.perf_counter() - began_s))
        assert answer.status_code == 200, f"{address}: {answer.text[:300]}"
    return {**_spread(took), "first_ms": round(took[0], 1)}


def _spread(took: Sequence[float]) -> Figures:
    ranked = sorted(took)
    return {
        "p50_ms": round(statistics.median(ranked), 1),
        "p95_ms": round(ranked[int(0.95 * (len(ranked) - 1))], 1),
        "max_ms": round(ranked[-1], 1),
    }


# ---------------------------------------------------------------- pages in a browser


def pages(url: str, endpoint: str | None) -> Figures:
    """Seconds until the load event, in a new profile each time, and until the first chart is drawn
    where there are charts; bytes of scripts on the wire."""
    from playwright.sync_api import sync_playwright

    addresses = {
        "home": "/",
        "dataset with charts": f"/datasets/{quote(DATASET)}",
        "records": f"/datasets/{quote(DATASET)}/records",
        "tasks": "/tasks",
    }
    found: Figures = {}
    with sync_playwright() as playwright, serving(url, "--workers", "0") as (base, _):
        there = which("chromium") or which("chromium-headless-shell")
        program = os.environ.get("CHROMIUM") or there
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, path in addresses.items():
            loads = [_load(browser, base + path) for _ in range(8)]
            found[name] = {
                "first_of_all_s": round(loads[0]["load_s"], 3),
                "load_s": round(statistics.median(one["load_s"] for one in loads[1:]), 3),
                "painted_s": round(statistics.median(one["paint_s"] for one in loads[1:]), 3),
                "drawn_s": round(statistics.median(one["drawn_s"] for one in loads[1:]), 3),
                "script_kb": round(loads[-1]["script_bytes"] / 1024, 1),
                "all_kb": round(loads[-1]["all_bytes"] / 1024, 1),
            }
        browser.close()
    return found


_MEASURES = """() => {
  const page = performance.getEntriesByType("navigation")[0];
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  const parts = performance.getEntriesByType("resource");
  const bytes = (some) => some.reduce((sum, one) => sum + one.transferSize, 0);
  return {
    load_s: page.loadEventEnd / 1000,
    paint_s: (paint ? paint.startTime : page.loadEventEnd) / 1000,
    script_bytes: bytes(parts.filter((one) => one.initiatorType === "script")),
    all_bytes: bytes(parts) + page.transferSize,
  };
}"""


def _load(browser: Any, address: str) -> Figures:
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(address, wait_until="load")
    assert answer.status == 200, address
    while not page.evaluate('performance.getEntriesByType("navigation")[0].loadEventEnd'):
        page.wait_for_timeout(10)
    if page.locator("[data-chart]").count():
        page.locator("[data-chart] canvas").first.wait_for(state="attached")
    drawn_s = page.evaluate("performance.now()") / 1000
    page.wait_for_timeout(200)
    measured: Figures = page.evaluate(_MEASURES) | {"drawn_s": drawn_s}
    context.close()
    return measured


# ---------------------------------------------------------------- many at once


def crowd(url: str, endpoint: str | None) -> Figures:
    """Memory with many pages open; answers while a task runs; the task with and without them."""
    assert endpoint is not None
    alone, beside, answers, open_pages = [], [], [], {}
    with serving(url, "--workers", "1") as (base, pid), httpx2.Client(base_url=base) as client:
        _task(client, endpoint, count=200)
        for turn in range(2):
            alone.append(_task(client, endpoint))
            said: Figures = {}
            beside.append(_task(client, endpoint, lambda n: _during(base, n, said)))  # noqa: B023
            answers.append(said)
            if turn == 0:
                number = _started(client, endpoint)
                open_pages = asyncio.run(_held(base, pid, number))
                _ended(client, number)
        costs = _costs(client, pid, number)
    slower = statistics.median(beside) / statistics.median(alone) - 1
    return {
        "task_alone_s": alone,
        "task_beside_s": beside,
        "task_slower_by": f"{100 * slower:.1f} %",
        "requests": answers,
        "cpu_ms": costs,
        "open_pages": open_pages,
        "aim": "< 10 % slower",
    }


def _task(
    client: httpx2.Client,
    endpoint: str,
    during: Callable[[int], Awaitable[None]] | None = None,
    count: int | None = None,
) -> float:
    """Seconds that a task takes, by its own clock."""
    number = _started(client, endpoint, count)
    if during is not None:
        asyncio.run(_awaited(during(number)))
    return _ended(client, number)


async def _awaited(one: Awaitable[None]) -> None:
    await one


def _started(client: httpx2.Client, endpoint: str, count: int | None = None) -> int:
    fields: Figures = {
        **TASK,
        "recipe": "dialogue",
        "connection": {"base_url": f"{endpoint}/v1", "model": "any"},
        "concurrency": IN_FLIGHT,
    }
    if count is not None:
        fields["count"] = count
    answer = client.post(f"{API}/tasks", json=fields)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def _ended(client: httpx2.Client, number: int) -> float:
    while True:
        task = client.get(f"{API}/tasks/{number}").json()["task"]
        if task["state"] not in ("running", "pending", "created", "queued"):
            break
        time.sleep(0.2)
    assert task["state"] == "finished", task
    (run,) = client.get(f"{API}/tasks/{number}/executions").json()["items"]
    began, ended = (datetime.fromisoformat(run[name]) for name in ("started_at", "ended_at"))
    return (ended - began).total_seconds()


def mix_of(number: int) -> tuple[str, ...]:
    """What the crowd asks for, each as often as the others: eight pages, whole, as a browser asks
    for them that has our files already, and five answers of REST."""
    dataset = quote(DATASET)
    return (
        *("/", "/tasks", f"/tasks/{number}", "/datasets", f"/datasets/{dataset}"),
        *(f"/datasets/{dataset}/records", "/characters", "/records/1"),
        *(f"{API}/tasks/{number}", f"{API}/tasks", f"{API}/records?dataset={dataset}"),
        *(f"{API}/records/count?dataset={dataset}&state=approved", f"{API}/health"),
    )


async def _during(base: str, number: int, said: Figures) -> None:
    """`PER_S` requests a second, each at its time whether or not the last has an answer. Each
    address was asked before: templates are read, and what is kept of a million records is."""
    rng, mixed, asking = random.Random(1), mix_of(number), Crowd(base)
    async with aiohttp.ClientSession() as session:
        for address in mixed:
            async with session.get(base + address) as answer:
                await answer.read()
    whole_s = await asking.ask(PER_S, SECONDS, lambda: rng.choice(mixed))
    took = asking.took_ms
    said |= _spread(took)
    said |= {"asked": len(took), "per_s": len(took) / whole_s, "wrong": asking.wrong[:3]}


def _costs(client: httpx2.Client, pid: int, number: int) -> Figures:
    """Milliseconds of CPU that an answer takes the server, by address, one after the other: what
    else the machine does makes no answer cost more but by what it pushes out of the caches."""
    found: Figures = {}
    for address in mix_of(number):
        rounds = []
        for _ in range(4):
            before_ms = _cpu_ms(pid)
            for _ in range(5 * EACH):
                assert client.get(address).status_code == 200, address
            rounds.append((_cpu_ms(pid) - before_ms) / (5 * EACH))
        found[unquote(address)] = round(min(rounds[1:]), 2)
    return {**found, "mean": round(statistics.mean(found.values()), 2)}


def _cpu_ms(pid: int) -> float:
    """Of all threads of a process, those that ended too; in steps of ten or so."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _held(base: str, pid: int, number: int) -> Figures:
    """Megabytes of the server's processes before and with open pages of a running task, each as a
    browser holds it: the page was asked for, and its stream of events is read on."""
    before = _memory_mb(pid)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def hold() -> None:
            async with session.get(f"{base}/tasks/{number}") as page:
                await page.read()
            stream = await session.get(f"{base}{API}/tasks/{number}/events")
            streams.append(stream)
            heard.append(await stream.content.readline())

        streams: list[aiohttp.ClientResponse] = []
        heard: list[bytes] = []
        await asyncio.gather(*(hold() for _ in range(OPEN_PAGES)))
        await asyncio.sleep(3)
        with_them = _memory_mb(pid)
        for one in streams:
            one.close()
    return {"pages": len(heard), "before_mb": before, "with_them_mb": with_them}


def _memory_mb(pid: int) -> float:
    """Resident megabytes of the process that answers requests."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    (kb,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")]
    return round(int(kb) / 1024, 1)


def main() -> None:
    """Do it and print."""
    whats = {"lists": lists, "pages": pages, "crowd": crowd}
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=list(whats))
    parser.add_argument("--url", required=True)
    parser.add_argument("--endpoint")
    given = parser.parse_args()
    print(json.dumps(whats[given.what](given.url, given.endpoint), ensure_ascii=False))


if __name__ == "__main__":
    main()
