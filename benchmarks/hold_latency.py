"""What a hold costs: the same call of `linear` from an account that pays afterwards and from one that pays from credit.

A prepaid call has its price set aside in a transaction of its own before it runs; a postpaid one without an idempotency
key skips that. Both accounts have the same price on the same server. Servers share core 0 with their databases, the
client has core 1; every round measures each account on each database once, in an order that rotates.
"""

import argparse
import json
import os
import shutil
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.load import SERVER_CORE, measured
from benchmarks.paying import PREDICT_PATH, open_postpaid, open_prepaid
from benchmarks.servers import ROOT, Target, postgresql
from tests.scenarios.server_process import ServerProcess, books_on
from tests.schema import migrate

CONNECTIONS = (1, 64)
CREDIT_NANOS = 1_000_000 * 10**9
_RESULTS = Path(__file__).parent / "results"

Pair = tuple[str, Target, Target]  # the database, the account without a hold, the one with
Runs = dict[tuple[str, int], list[dict[str, Any]]]


def main() -> None:
    """Measure, print the table, and write `results/hold_latency.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="measured seconds a target and round")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {SERVER_CORE})
    with ExitStack() as stack:
        server = stack.enter_context(postgresql())
        pairs = [
            _pair(stack, "SQLite", None),
            _pair(stack, "PostgreSQL", server.url(server.copy_database("template0"))),
        ]
        runs = measure(pairs, arguments.rounds, arguments.seconds)
    print(table(pairs, runs))
    document = {**vars(arguments), "runs": [{"target": name, "runs": each} for (name, _), each in runs.items()]}
    (_RESULTS / "hold_latency.json").write_text(json.dumps(document, indent=1) + "\n")


def measure(pairs: list[Pair], rounds: int, measure_s: float) -> Runs:
    """Return `rounds` measurements for each account, database and number of connections."""
    targets, runs = [target for _, *both in pairs for target in both], Runs()
    for connections in CONNECTIONS:
        for number in range(rounds):
            turn = number % len(targets)
            for target in targets[turn:] + targets[:turn]:
                runs.setdefault((target.name, connections), []).append(measured(target, connections, measure_s))
    return runs


def table(pairs: list[Pair], runs: Runs) -> str:
    """Return the medians in ms; what the hold adds is the median of the differences within a round."""
    lines = ["| connections | database | p50 without | p50 with | a hold adds | p99 without | p99 with | requests/s |"]
    lines.append("|--:|---|--:|--:|--:|--:|--:|--:|")
    for connections in CONNECTIONS:
        for database, without, holding in pairs:
            free, held = runs[without.name, connections], runs[holding.name, connections]
            added = [(b["p50_us"] - a["p50_us"]) / 1000 for a, b in zip(free, held, strict=True)]
            cells = [_ms(free, "p50_us"), _ms(held, "p50_us"), f"{statistics.median(added):.2f} ms"]
            cells += [_ms(free, "p99_us"), _ms(held, "p99_us")]
            speeds = [f"{statistics.median(run['requests_per_s'] for run in each):,.0f}" for each in (free, held)]
            lines.append(f"| {connections} | {database} | {' | '.join([*cells, ' and '.join(speeds)])} |")
    return "\n".join(lines)


def _ms(runs: list[dict[str, Any]], key: str) -> str:
    return f"{statistics.median(run[key] for run in runs) / 1000:.2f}"


def _pair(stack: ExitStack, database: str, url: str | None) -> Pair:
    """Serve one database with both accounts."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faremeter-bench-")))
    shutil.copytree(ROOT / "models" / "linear", folder / "models" / "linear")
    url = url or f"sqlite:///{folder / 'faremeter.db'}"
    migrate(url)
    books = books_on(url, folder)
    secrets = {"without a hold": open_postpaid(books), "with a hold": open_prepaid(books, CREDIT_NANOS)[1]}
    books.database.dispose()
    server = ServerProcess(url, folder)
    server.environment["FAREMETER_MODELS_DIR"] = str(folder / "models")
    stack.enter_context(server)
    without, holding = (
        Target(f"{database}, {name}", server.port, PREDICT_PATH, {"Authorization": f"Bearer {secret}"})
        for name, secret in secrets.items()
    )
    return database, without, holding


if __name__ == "__main__":
    main()
