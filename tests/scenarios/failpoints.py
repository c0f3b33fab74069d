"""Where a server of a scenario kills itself: at a named point of a claimed call, between two steps of its story.

The points wrap the program's classes in the process of a test; the program itself knows nothing of them.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from app.charging import recorder
from app.charging.gate import Gate, Pass
from app.charging.recorder import Record, Recorder
from app.database import Database, Session
from app.serving.predict import PredictUseCase

# In the order of a call. Of those before `RECORDED` nothing is durable.
POINTS = (
    "gate asked",
    "claimed",
    "held",
    "passed",
    "running",
    "computed",
    "recorder asked",
    "event written",
    "settled",
    "recorded",
    "answering",
)
RECORDED = POINTS.index("recorded")


def arm(point: str) -> None:
    """Let this process end with `kill -9` when a claimed call gets to the point."""
    assert point in POINTS
    _writing(Gate, point, lambda entry: isinstance(entry, Pass) and entry.claim is not None, "gate asked")
    _writing(Recorder, point, lambda entry: isinstance(entry, Record) and entry.claim is not None, "recorder asked")
    _before(Gate, "_hold", point, "claimed")
    _before(PredictUseCase, "_run", point, "running")
    _before(PredictUseCase, "_charge", point, "computed")
    _before(recorder, "settle", point, "event written")
    _committing({"gate": ("held", "passed"), "recorder": ("settled", "recorded")}, point)
    _answering(point)


_concerned = threading.local()  # whether the group that a thread writes has a claimed call in it


def _reach(here: str, point: str) -> None:
    if here == point:
        os.kill(os.getpid(), signal.SIGKILL)


def _before(owner: Any, name: str, point: str, here: str) -> None:
    original = getattr(owner, name)

    def reached(*given: Any, **named: Any) -> Any:
        _reach(here, point)
        return original(*given, **named)

    setattr(owner, name, reached)


def _answering(point: str) -> None:
    predict: Any = PredictUseCase.predict

    async def predicted(*given: Any) -> Any:
        answer = await predict(*given)
        _reach("answering", point)
        return answer

    setattr(PredictUseCase, "predict", predicted)  # noqa: B010 - a method cannot be assigned


def _writing(owner: type, point: str, concerns: Callable[[object], bool], here: str) -> None:
    """Notice which groups have a claimed call in them; the others pass every point."""
    original = owner._write  # type: ignore[attr-defined]

    def written(self: object, entries: Any) -> Any:
        _concerned.here = any(map(concerns, entries))
        if _concerned.here:
            _reach(here, point)
        return original(self, entries)

    owner._write = written  # type: ignore[attr-defined]


def _committing(points: dict[str, tuple[str, str]], point: str) -> None:
    """Reach a point before a commit of such a group, and one behind it."""
    original = Database.transaction

    @contextmanager
    def transaction(self: Database, *, durable: bool = True) -> Iterator[Session]:
        before, behind = points.get(threading.current_thread().name, ("", ""))
        concerned = getattr(_concerned, "here", False)
        with original(self, durable=durable) as session:
            yield session
            if concerned:
                _reach(before, point)
        if concerned:
            _reach(behind, point)

    Database.transaction = transaction  # type: ignore[method-assign]
