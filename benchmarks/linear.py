"""`linear` under load: Faremeter, with key, plan, metering and a durable record, beside plain FastAPI with none of it.

Servers share core 0, the client has core 1. Every round measures every target once, in an order that rotates, so that
a slow minute of the machine hits all alike; the table shows medians and, in brackets, the least and the most.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.load import SERVER_CORE, measured
from benchmarks.servers import Target, faremeter, plain_fastapi, postgresql, units_recorded
from tests.schema import migrate

CONNECTIONS = (1, 16, 64)
LIBRARIES = ("fastapi", "uvicorn", "torch", "sqlalchemy", "msgspec")
_RESULTS = Path(__file__).parent / "results"

Measurements = dict[tuple[str, int], list[dict[str, Any]]]


def main() -> None:
    """Measure, print the table, and write `results/linear.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0, help="measured seconds a target and round")
    parser.add_argument("--postgresql", action="store_true", help="measure on a real PostgreSQL too (server's core)")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {SERVER_CORE})
    with ExitStack() as stack:
        paid = [stack.enter_context(faremeter("Faremeter, SQLite", _folder(stack)))]
        if arguments.postgresql:
            url = _postgresql(stack)
            paid.append(stack.enter_context(faremeter("Faremeter, PostgreSQL", _folder(stack), url)))
        free = stack.enter_context(plain_fastapi())
        measurements = measure(paid + free, arguments.rounds, arguments.seconds)
        books = {target.name: (_answers(measurements, target), units_recorded(target)) for target in paid}
    print(table(measurements, [target.name for target in free]))
    for name, (answers, recorded) in books.items():
        # One more was recorded for each start: the request that found the server ready.
        print(f"{name}: the client saw {answers:,} answers, the usage API counts {recorded - 1:,}")
    _write(measurements, books, arguments)


def measure(targets: list[Target], rounds: int, measure_s: float) -> Measurements:
    """Return `rounds` measurements for each target and number of connections."""
    found: Measurements = {}
    for connections in CONNECTIONS:
        for round_number in range(rounds):
            turn = round_number % len(targets)
            for target in targets[turn:] + targets[:turn]:
                found.setdefault((target.name, connections), []).append(measured(target, connections, measure_s))
    return found


def table(measurements: Measurements, peers: list[str]) -> str:
    """Return the figures as a table; `x` is the ratio to the faster peer at the same number of connections."""
    lines = ["| connections | server | requests/s | x | p50 ms | p99 ms |", "|--:|---|--:|--:|--:|--:|"]
    for (name, connections), runs in measurements.items():
        best = max(_median(measurements[peer, connections], "requests_per_s") for peer in peers)
        ratio = _median(runs, "requests_per_s") / best
        cells = [_spread(runs, "requests_per_s", 1, ",.0f"), f"{ratio:.2f}"]
        cells += [_spread(runs, key, 1000, ".2f") for key in ("p50_us", "p99_us")]
        lines.append(f"| {connections} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _folder(stack: ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faremeter-bench-")))


def _postgresql(stack: ExitStack) -> str:
    server = stack.enter_context(postgresql())
    url = server.url(server.copy_database("template0"))
    migrate(url)
    return url


def _answers(measurements: Measurements, target: Target) -> int:
    return sum(run["answers"] for (name, _), runs in measurements.items() if name == target.name for run in runs)


def _median(runs: list[dict[str, Any]], key: str) -> float:
    return float(statistics.median(run[key] for run in runs))


def _spread(runs: list[dict[str, Any]], key: str, unit: int, form: str) -> str:
    values = sorted(run[key] / unit for run in runs)
    return f"{statistics.median(values):{form}} ({values[0]:{form}} to {values[-1]:{form}})"


def _write(measurements: Measurements, books: dict[str, tuple[int, int]], arguments: argparse.Namespace) -> None:
    document = {
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "rounds": arguments.rounds,
        "seconds": arguments.seconds,
        "runs": [{"server": name, "runs": runs} for (name, _), runs in measurements.items()],
        "books": {name: {"answers": seen, "recorded": recorded - 1} for name, (seen, recorded) in books.items()},
    }
    _RESULTS.mkdir(exist_ok=True)
    (_RESULTS / "linear.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
