"""One measurement in a process of its own; prints one JSON line. Called by `bench`.

python -m bench.one ours|bare --count N --in-flight C --url URL --db FILE [--task ID]
    [--checks NAME …]
"""

from __future__ import annotations

import argparse
import asyncio
import json

import aiohttp
import orjson
import uvloop

from bench.rig import PROMPT, SCHEMA, extend, now_s, run_task, usage
from corpusmith.service import loop
from corpusmith.store.open import open_store


async def bare(count: int, in_flight: int, url: str) -> int:
    """The limit to compare with: aiohttp + orjson, parse the reply, keep the record in memory."""
    records: list[object] = []
    numbers = iter(range(count))
    schema = {"name": SCHEMA.name, "strict": True, "schema": SCHEMA.body}

    async def worker(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            body = {
                "model": "m",
                "messages": [{"role": "user", "content": f"REC#{number:06d} {PROMPT}"}],
                "temperature": 0.7,
                "max_tokens": 1024,
                "response_format": {"type": "json_schema", "json_schema": schema},
            }
            async with session.post(
                f"{url}/chat/completions",
                data=orjson.dumps(body),
                headers={"Content-Type": "application/json"},
            ) as reply:
                answer = orjson.loads(await reply.read())
            records.append(orjson.loads(answer["choices"][0]["message"]["content"]))

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(worker(session) for _ in range(in_flight)))
    return len(records)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["ours", "bare"])
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--in-flight", type=int, default=256)
    parser.add_argument("--url")
    parser.add_argument("--db", default="")
    parser.add_argument("--task", type=int)
    parser.add_argument("--extend", action="store_true", help="ask --task for --count in all")
    parser.add_argument("--checks", nargs="*", default=[], help="these, over texts that differ")
    given = parser.parse_args()
    before, began_s = usage(), now_s()
    if given.what == "bare":
        figures = {"records": uvloop.run(bare(given.count, given.in_flight, given.url))}
    else:
        if given.extend:
            extend(given.db, given.task, given.count)
        figures = ours(given)
    took_s, after = now_s() - began_s, usage()
    figures |= {
        "wall_s": took_s,
        "cpu_s": after["cpu_s"] - before["cpu_s"],
        "peak_mb": after["peak_mb"],
    }
    print(json.dumps(figures))


def ours(given: argparse.Namespace) -> dict[str, float]:
    """Run the task; `run_cpu_s` leaves out making the database."""
    open_store(f"sqlite:///{given.db}").close()
    before, began_s = usage(), now_s()
    run = run_task(given.db, given.task, given.count, given.url, given.in_flight, given.checks)
    ended, task = loop.run(run)
    return {
        "run_wall_s": now_s() - began_s,
        "records": ended.snapshot.counts.accepted,
        "calls": ended.snapshot.spend.calls,
        "task": task,
        "run_cpu_s": usage()["cpu_s"] - before["cpu_s"],
    }


if __name__ == "__main__":
    main()
