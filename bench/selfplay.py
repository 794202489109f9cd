"""Self-play as a user runs it, in a process of its own; prints one JSON line. Called by `bench`.

python -m bench.selfplay --url URL --db FILE --count N --iterations N [--concurrency N|auto]

An item is 2 + 2 × iterations calls, one after the other; all items run side by side. So at a
latency of one second and without a limit the ideal is 2 + 2 × iterations seconds.
"""

from __future__ import annotations

import argparse
import json

from bench.rig import now_s, usage
from corpusmith import Studio


def main() -> None:
    """Measure and print. `run_wall_s` leaves out making the database and the task."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--db", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--iterations", type=int, required=True)
    parser.add_argument("--concurrency", default="auto")
    given = parser.parse_args()
    with Studio(db=f"sqlite:///{given.db}", language="en") as studio:
        task = studio.tasks.create(
            recipe="selfplay",
            num_entries=given.count,
            refinement_iterations=given.iterations,
            seed=1,
            concurrency=given.concurrency,
            connection={"base_url": given.url, "model": "sim-chat"},
        )
        began_s, before = now_s(), usage()
        result = studio.tasks.run(task)
        took_s, after = now_s() - began_s, usage()
    figures = {
        "run_wall_s": took_s,
        "run_cpu_s": after["cpu_s"] - before["cpu_s"],
        "peak_mb": after["peak_mb"],
        "records": result.counts.accepted,
        "calls": result.spend.calls,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
