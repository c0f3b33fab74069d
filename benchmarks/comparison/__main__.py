"""Run the three trials on both builds and both databases, print the table, and write `results/comparison.json`."""

import argparse
import asyncio
import json
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.comparison.environment import ensure_environment
from benchmarks.comparison.subject import Conventional, Faremeter, Subject
from benchmarks.comparison.trials import CONCURRENT_CALLS, Bill, Cap, cap, hang_ups, kills
from benchmarks.servers import postgresql

_RESULTS = Path(__file__).parents[1] / "results"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one build on one database."""

    kills: Bill
    hang_ups: Bill
    cap: Cap


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--hang-ups", type=int, default=300)
    parser.add_argument("--cap-rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    ensure_environment()
    outcomes: dict[str, Outcome] = {}
    with ExitStack() as stack:
        server = stack.enter_context(postgresql())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faremeter-comparison-")))
        for make in subjects(folder, lambda: server.url(server.copy_database("template0"))):
            with make as subject:
                outcomes[subject.name] = asyncio.run(tried(subject, arguments))
                print(subject.name, outcomes[subject.name], flush=True)
    print(table(outcomes))
    document = {**vars(arguments), "outcomes": {name: asdict(each) for name, each in outcomes.items()}}
    (_RESULTS / "comparison.json").write_text(json.dumps(document, indent=1) + "\n")


def subjects(folder: Path, database: Callable[[], str]) -> Iterator[Any]:
    """Yield both builds on each database, one after the other: they never run at the same time."""
    yield _ending(lambda: Conventional("conventional, SQLite", f"sqlite:///{folder / 'conventional.db'}"))
    yield _ending(lambda: Conventional("conventional, PostgreSQL", database()))
    yield _ending(lambda: Faremeter("Faremeter, SQLite", f"sqlite:///{folder / 'faremeter.db'}", folder))
    yield _ending(lambda: Faremeter("Faremeter, PostgreSQL", database(), folder))


async def tried(subject: Subject, arguments: argparse.Namespace) -> Outcome:
    """Run the three trials on one build; the server of the first one goes on."""
    chance = random.Random(arguments.seed)
    return Outcome(
        await kills(subject, arguments.kills, chance),
        await hang_ups(subject, arguments.hang_ups, chance),
        await cap(subject, arguments.cap_rounds),
    )


def table(outcomes: dict[str, Outcome]) -> str:
    """Return the outcomes side by side."""
    rows: list[tuple[str, Callable[[Outcome], object]]] = [
        ("killed under load: calls answered", lambda o: o.kills.answered),
        ("… answered and never billed", lambda o: o.kills.unbilled),
        ("… billed and never answered", lambda o: o.kills.unanswered),
        ("… billed twice", lambda o: o.kills.twice),
        ("callers hung up and repeated: calls answered", lambda o: o.hang_ups.answered),
        ("… of them after a hang-up", lambda o: o.hang_ups.broken),
        ("… answered and never billed", lambda o: o.hang_ups.unbilled),
        ("… billed twice", lambda o: o.hang_ups.twice),
        (
            f"{CONCURRENT_CALLS} calls at once, credit for 10: succeeded, of",
            lambda o: f"{o.cap.succeeded} of {o.cap.allowed}",
        ),
        ("… at most in a round", lambda o: o.cap.succeeded_max),
    ]
    lines = [f"| | {' | '.join(outcomes)} |", "|---|" + "--:|" * len(outcomes)]
    lines += [f"| {name} | {' | '.join(str(cell(each)) for each in outcomes.values())} |" for name, cell in rows]
    return "\n".join(lines)


@contextmanager
def _ending(make: Callable[[], Any]) -> Iterator[Any]:
    subject = make()
    try:
        yield subject
    finally:
        subject.kill()


if __name__ == "__main__":
    main()
