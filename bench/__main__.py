"""`make bench`: every figure of the README, each a ratio or a limit, from one run.

    python -m bench [NAME …] [--quick]

Names: throughput, checks, latency, tail, scale, rounds, selfplay, feedback, words, near, export,
report, review, records, studio, startup; none means all.
Client and endpoint are pinned to different cores. The endpoint is `fakeserver.c` (120,000
requests/s on one core), built here with gcc; the slow tail and the jobs of several steps are served
by the simulator. Figures drift with the machine: quote ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.processes import (
    ROOT,
    Figures,
    child,
    fakeserver,
    measure,
    postgres,
    simulator,
    sqlite,
)


def throughput(folder: Path, quick: bool) -> Figures:
    """Records/s at zero latency, everything on, over a bare aiohttp loop on the same endpoint."""
    count, rounds = (5_000, 1) if quick else (30_000, 5)
    ratios, cpu_ratios, bare, ours = [], [], [], []
    with fakeserver(folder, 0) as url:
        for turn in range(rounds):
            limit = measure("bare", count, url=url)
            made = measure("ours", count, url=url, db=folder / f"throughput{turn}.db")
            bare.append(count / limit["wall_s"])
            ours.append(count / made["run_wall_s"])
            ratios.append(ours[-1] / bare[-1])
            cpu_ratios.append(limit["cpu_s"] / made["run_cpu_s"])
    return {
        "bare_records_per_s": statistics.median(bare),
        "ours_records_per_s": statistics.median(ours),
        "ratio": statistics.median(ratios),
        "ratio_min_max": [min(ratios), max(ratios)],
        "cpu_ratio": statistics.median(cpu_ratios),
        "aim": ">= 0.50",
    }


def checks(folder: Path, quick: bool) -> Figures:
    """What checks cost in the stream: records/s and CPU a record with the usual three, with all
    plain ones, and with the near duplicates too, over texts of 200 characters that differ."""
    from corpusmith.service.checks import ALL_CHECKS

    count, rounds = (5_000, 1) if quick else (20_000, 3)
    sets = {
        "usual": ["format", "placeholders", "refusal"],
        "all_but_near": [name for name in ALL_CHECKS if name != "near_duplicates"],
        "all": list(ALL_CHECKS),
    }
    walls: dict[str, list[float]] = {name: [] for name in sets}
    cpus: dict[str, list[float]] = {name: [] for name in sets}
    with fakeserver(folder, 0) as url:
        for _ in range(rounds):  # in turn, so that a busy machine troubles all
            for name, chosen in sets.items():
                made = measure("ours", count, url=url, db=folder / "checks.db", checks=chosen)
                if made["records"] != count:
                    raise RuntimeError(f"a check turned texts down: {made}")
                walls[name].append(made["run_wall_s"])
                cpus[name].append(made["run_cpu_s"])
    usual = walls["usual"]
    return {
        name: {
            "records_per_s": count / statistics.median(walls[name]),
            "ratio_to_usual": statistics.median(
                mine / other for mine, other in zip(usual, walls[name], strict=True)
            ),
            "cpu_us_per_record": 1e6 * statistics.median(cpus[name]) / count,
        }
        for name in sets
    }


def latency(folder: Path, quick: bool) -> Figures:
    """Calls/s at 200 ms and 500 in flight, over the ideal 2,500."""
    count = 10_000 if quick else 75_000
    with fakeserver(folder, 200) as url:
        made = measure("ours", count, 500, url=url, db=folder / "latency.db")
        limit = measure("bare", count, 500, url=url)
    ideal = 500 / 0.2
    return {
        "calls_per_s": count / made["run_wall_s"],
        "ratio_to_ideal": count / made["run_wall_s"] / ideal,
        "bare_ratio_to_ideal": count / limit["wall_s"] / ideal,
        "ratio_to_bare": limit["wall_s"] / made["run_wall_s"],
        "aim": ">= 0.95",
    }


def tail(folder: Path, quick: bool) -> Figures:
    """The same with 1% of calls 30 times slower, over the ideal of 500 slots never idle.

    Long enough that waiting for the very last slow calls (6 s) does not count for much.
    """
    count = 10_000 if quick else 150_000
    options = ["--latency-ms", "200", "--tail-rate", "0.01", "--tail-factor", "30"]
    with simulator(options) as url:
        made = measure("ours", count, 500, url=url, db=folder / "tail.db")
        limit = measure("bare", count, 500, url=url)
    ideal = 500 / (0.99 * 0.2 + 0.01 * 6)
    return {
        "calls_per_s": count / made["run_wall_s"],
        "ratio_to_ideal": count / made["run_wall_s"] / ideal,
        "bare_ratio_to_ideal": count / limit["wall_s"] / ideal,
        "ratio_to_bare": limit["wall_s"] / made["run_wall_s"],
        "aim": ">= 0.90",
    }


def scale(folder: Path, quick: bool) -> Figures:
    """CPU per record and peak memory at 1,000, 100,000 and 1,000,000 items; resume of the last."""
    sizes = (1_000, 10_000, 50_000) if quick else (1_000, 100_000, 1_000_000)
    figures: Figures = {"sizes": {}}
    for count in sizes:
        db = folder / f"scale{count}.db"
        made = measure("ours", count, db=db)
        again = measure("ours", count, db=db, task=made["task"])
        more = measure("ours", count + 1, db=db, task=made["task"], extend=True)
        figures["sizes"][count] = {
            "cpu_us_per_record": 1e6 * made["run_cpu_s"] / count,
            "peak_mb": made["peak_mb"],
            "resume_finished_s": again["wall_s"],
            "one_more_row_s": more["wall_s"],
            "one_more_row_calls": more["calls"] - made["calls"],
            "db_mb": db.stat().st_size / 2**20,
        }
        db.unlink()
    costs = [one["cpu_us_per_record"] for one in figures["sizes"].values()]
    figures["cpu_spread"] = max(costs[1:]) / min(costs[1:]) - 1
    figures["aim"] = "CPU flat within 20%, < 400 MB, resume < 5 s"
    return figures


def rounds(folder: Path, quick: bool) -> Figures:
    """Wall time of 200 triples for 2 more rounds at 1 s a call, over the ideal of 6 calls in a row;
    from the triples' file to the files of the rounds."""
    count, times = (40, 1) if quick else (200, 3)
    walls = []
    for turn in range(times):
        with simulator(["--latency-ms", "1000"]) as url:
            options = ["--count", str(count), "--rounds", "2", "--url", f"{url}/v1"]
            options += ["--output-dir", str(folder / f"rounds{turn}")]
            made = child("bench.rounds", *options, "--db", str(folder / f"rounds{turn}.db"))
        assert (made["conversations"], made["calls"]) == (count, 6 * count)
        walls.append(made["wall_s"])
    return {
        "wall_s": statistics.median(walls),
        "ratio_to_ideal": statistics.median(walls) / 6,
        "ratio_min_max": [min(walls) / 6, max(walls) / 6],
        "aim": "<= 1.15",
    }


def selfplay(folder: Path, quick: bool) -> Figures:
    """100 entries of 3 refinements at 1 s a call: wall time over the ideal of 8 calls in a row.

    With a number of calls that a person names; found by itself (auto), it costs a slow start.
    """
    count, rounds = (20, 1) if quick else (100, 3)
    walls = [_selfplay_wall_s(folder, count, str(count)) for _ in range(rounds)]
    return {
        "wall_s": statistics.median(walls),
        "ratio_to_ideal": statistics.median(walls) / 8,
        "ratio_min_max": [min(walls) / 8, max(walls) / 8],
        "auto_ratio_to_ideal": _selfplay_wall_s(folder, count, "auto") / 8,
        "aim": "<= 1.15",
    }


def _selfplay_wall_s(folder: Path, count: int, concurrency: str) -> float:
    db = folder / "selfplay.db"
    with simulator(["--latency-ms", "1000"]) as url:
        options = ["--count", str(count), "--iterations", "3", "--concurrency", concurrency]
        made = child("bench.selfplay", *options, "--url", f"{url}/v1", "--db", str(db))
    db.unlink()
    if (made["records"], made["calls"]) != (count, 8 * count):
        raise RuntimeError(f"not the work that was to be measured: {made}")
    return float(made["run_wall_s"])


def feedback(folder: Path, quick: bool) -> Figures:
    """1,000,000 rows of feedback as JSONL and as one JSON array into the three files, against a
    plain script (`json.load`, a list, three files) on the same input: speed and peak memory."""
    rows, times = (50_000, 1) if quick else (1_000_000, 3)
    figures: Figures = {"aim": "< 300 MB, flat; faster than the script"}
    for form in ("jsonl", "json"):
        file, small = folder / f"feedback.{form}", folder / f"small.{form}"
        size = child("bench.feedback", "make", "--file", str(file), "--rows", str(rows))["bytes"]
        child("bench.feedback", "make", "--file", str(small), "--rows", str(rows // 10))
        ours, plain = [], []
        for turn in range(times):  # in turn, so that a busy machine troubles both
            ours.append(_feedback("ours", file, folder / f"ours{turn}"))
            plain.append(_feedback("plain", file, folder / f"plain{turn}"))
        figures[form] = {
            "mb": size / 1e6,
            "mb_per_s": size / 1e6 / min(one["wall_s"] for one in ours),
            "peak_mb": max(one["peak_mb"] for one in ours),
            "peak_mb_of_a_tenth": _feedback("ours", small, folder / "small")["peak_mb"],
            "script_mb_per_s": size / 1e6 / min(one["wall_s"] for one in plain),
            "script_peak_mb": max(one["peak_mb"] for one in plain),
            "ratio": statistics.median(_ratios(ours, plain, "wall_s")),
            "cpu_ratio": statistics.median(_ratios(ours, plain, "cpu_s")),
        }
        file.unlink()
    return figures


def near(folder: Path, quick: bool) -> Figures:
    """Near duplicates at Jaccard 0.7 in 10,000, 100,000 and 1,000,000 texts, looked for and added
    one by one, beside datasketch on the same texts (at the million it takes 6 GB)."""
    figures: Figures = {"aim": "precision 1, recall >= 0.99, <= 600 bytes a text", "sizes": {}}
    for count in (10_000,) if quick else (10_000, 100_000, 1_000_000):
        file = folder / f"near{count}"
        child("bench.near", "make", "--file", str(file), "--count", str(count))
        methods = ("ours", "datasketch")
        made = {name: _near(name, file) for name in methods}
        print(count, json.dumps(made), file=sys.stderr)
        verdicts = [str(folder / name) for name in methods]
        found = child("bench.near", "score", "--file", str(file), "--verdicts", *verdicts)
        figures["sizes"][count] = {
            "duplicates": found["duplicates"],
            "brute_force_sample": found["brute_force_sample"],
            **{name: made[name] | found[name] for name in methods},
            "ours_all_at_once": child("bench.near", "bulk", "--file", str(file)),
        }
        file.unlink()
    return figures


def _near(method: str, file: Path) -> Figures:
    verdicts = str(file.parent / method)
    return child("bench.near", method, "--file", str(file), "--verdicts", verdicts)


def _feedback(what: str, file: Path, out: Path) -> Figures:
    made = child("bench.feedback", what, "--file", str(file), "--out", str(out))
    shutil.rmtree(out)
    return made


def _ratios(ours: list[Figures], plain: list[Figures], name: str) -> list[float]:
    return [other[name] / one[name] for one, other in zip(ours, plain, strict=True)]


def words(folder: Path, quick: bool) -> Figures:
    """Sensitive words: MB/s of Chinese text with 50,000 words in all spellings, beside the bare
    library on the text as it is and a loop over the words; and personal data on the same texts."""
    made = child("bench.words", "--texts", "1000" if quick else "20000")
    return {**made, "aim": "ratio_to_bare >= 0.2"}


EXPORTS = (
    *("json.json", "jsonl.jsonl", "csv.csv", "parquet.parquet"),
    *("messages.jsonl", "messages.parquet", "sharegpt.jsonl", "alpaca.jsonl", "alpaca.csv"),
    *("prompt_completion.jsonl", "dpo.jsonl", "dpo_trl.jsonl", "dpo_alpaca.jsonl"),
    *("kto.jsonl", "kto_trl.jsonl", "kto_axolotl.jsonl"),
)
"""Format and container."""


def export(folder: Path, quick: bool) -> Figures:
    """Records/s and peak memory of each format in each of two sizes, ten to one, and of messages
    from a database through the service. A record is a dialogue of about 1 kB."""
    sizes = (2_000, 20_000) if quick else (100_000, 1_000_000)
    figures: Figures = {"aim": "peak flat from the small to the large size"}
    for name in EXPORTS:
        form, _, suffix = name.partition(".")
        file = folder / f"export.{suffix}"
        options = ["format", "--form", form, "--file", str(file)]
        figures[name] = _per_size(sizes, lambda count, given=options: _exported(given, count))
        file.unlink()
    figures["messages.jsonl from a database"] = _per_size(
        sizes, lambda count: _exported_from_store(folder, count)
    )
    made = child("bench.export", "making", "--count", str(sizes[0]))
    figures["records_per_s_of_the_input_alone"] = sizes[0] / made["wall_s"]
    return figures


def _per_size(sizes: tuple[int, ...], work: Callable[[int], Figures]) -> Figures:
    found = {count: work(count) for count in sizes}
    return {
        "records_per_s": {count: count / one["wall_s"] for count, one in found.items()},
        "cpu_us_per_record": {count: 1e6 * one["cpu_s"] / count for count, one in found.items()},
        "peak_mb": {count: one["peak_mb"] for count, one in found.items()},
        "mb": found[sizes[-1]]["mb"],
    }


def _exported(options: list[str], count: int) -> Figures:
    return child("bench.export", *options, "--count", str(count))


def _exported_from_store(folder: Path, count: int) -> Figures:
    db, file = folder / f"export{count}.db", folder / "export.jsonl"
    place = ["--db", str(db), "--file", str(file)]
    child("bench.export", "fill", *place, "--count", str(count))
    made = child("bench.export", "store", *place)
    for path in folder.glob(f"{db.name}*"):
        path.unlink()
    return made


def report(folder: Path, quick: bool) -> Figures:
    """The report of 100,000 records with their scores, as a page and as JSON: seconds from the
    first read to the last byte written, and the peak memory of the process; and of a tenth."""
    records = 10_000 if quick else 100_000
    figures: Figures = {"aim": "< 30 s at 100,000 records; memory flat"}
    for count in (records // 10, records):
        db = folder / f"report{count}.db"
        child("bench.report", "make", "--db", str(db), "--records", str(count))
        figures[str(count)] = child("bench.report", "ours", "--db", str(db))
        db.unlink()
    return figures


def review(folder: Path, quick: bool) -> Figures:
    """Milliseconds of a page of every review queue at 1,000,000 records, on SQLite and Postgres:
    the first, those after it, and ones anywhere; with nothing, nine tenths or all reviewed."""
    count = ["--records", "20000" if quick else "1000000"]
    figures: Figures = {"aim": "< 300 ms, each of them"}
    for name, place in (("sqlite", sqlite), ("postgres", postgres)):
        with place(folder) as url:
            made = child("bench.review", "make", "--url", url, *count)
            figures[name] = child("bench.review", "pages", "--url", url, *count)
            figures[name]["fill_s"] = made["fill_s"]
    return figures


def records(folder: Path, quick: bool) -> Figures:
    """Milliseconds of a page of records at 1,000,000 of them, on SQLite and Postgres: any order,
    filter and word; counts, facets; the index of texts, and committing to a dataset."""
    count = ["--records", "20000" if quick else "1000000"]
    figures: Figures = {"aim": "p95 < 300 ms, each of them"}
    for name, place in (("sqlite", sqlite), ("postgres", postgres)):
        with place(folder) as url:
            steps = ("make", "index", "pages", "commit")
            made = {step: child("bench.records", step, "--url", url, *count) for step in steps}
            figures[name] = {key: value for one in made.values() for key, value in one.items()}
    return figures


def studio(folder: Path, quick: bool) -> Figures:
    """The studio at 1,000,000 records: lists by REST and as pages, the first page in Chromium, a
    hundred open pages, and 200 requests a second beside a task."""
    count = ["--records", "20000" if quick else "1000000"]
    figures: Figures = {"aim": "lists p95 < 300 ms; first page < 0.7 s; task < 10 % slower"}
    for name, place in (("sqlite", sqlite), ("postgres", postgres)):
        with place(folder) as url:
            for step in ("make", "index"):
                child("bench.records", step, "--url", url, *count)
            figures[f"lists, {name}"] = child("bench.studio", "lists", "--url", url, pinned=False)
            if name == "sqlite":
                figures["pages"] = child("bench.studio", "pages", "--url", url, pinned=False)
            with simulator(["--latency-ms", "250"]) as endpoint:
                options = ["crowd", "--url", url, "--endpoint", endpoint]
                figures[f"crowd, {name}"] = child("bench.studio", *options, pinned=False)
    return figures


def startup(folder: Path, quick: bool) -> Figures:
    """Seconds for `import corpusmith` and `corpusmith --help`, whole processes, median."""
    python = sys.executable
    commands = {
        "python -c pass": [python, "-c", "pass"],
        "import corpusmith": [python, "-c", "import corpusmith"],
        "corpusmith --help": [str(Path(python).parent / "corpusmith"), "--help"],
    }
    return {
        **{name: statistics.median(_times(command)) for name, command in commands.items()},
        "aim": "< 0.3 s",
    }


def _times(command: list[str]) -> list[float]:
    took = []
    for _ in range(8):
        began_s = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        took.append(time.perf_counter() - began_s)
    return took[1:]


# ---------------------------------------------------------------- printing

ALL = {
    one.__name__: one
    for one in (
        *(throughput, checks, latency, tail, scale, rounds, selfplay),
        *(feedback, words, near, export, report, review, records, studio, startup),
    )
}


def main() -> None:
    """Run and print; the figures also go to bench/out/bench.json."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("names", nargs="*", choices=[*ALL, []])
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f} at the start; Python {sys.version.split()[0]}")
    folder = Path(tempfile.mkdtemp(prefix="corpusmith-bench-"))
    results: dict[str, Figures] = {}
    try:
        for name in given.names or ALL:
            print(f"\n{name}: {ALL[name].__doc__}", flush=True)
            results[name] = ALL[name](folder, given.quick)
            print(json.dumps(results[name], indent=1, default=str), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    out = ROOT / "bench" / "out"
    out.mkdir(exist_ok=True)
    (out / "bench.json").write_text(json.dumps(results, indent=1), "utf-8")


if __name__ == "__main__":
    main()
