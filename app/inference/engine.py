"""The engine protocol: how the rest of the program runs models, whatever stands behind it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from app.errors import AppError, Kind, NotFound, Unavailable
from app.inference.inputs import ModelInput
from app.inference.manifest import Manifest
from app.inference.prediction import BatchFact, Prediction

OnBatch: TypeAlias = Callable[[BatchFact], None]


class ModelNotFound(NotFound):
    """No model of that name is in the repository."""

    code = "model_not_found"


class VersionNotFound(NotFound):
    """The model has no such version."""

    code = "version_not_found"


class ModelUnavailable(Unavailable):
    """The model exists and cannot answer now: its weights are missing, loading or broken."""

    code = "model_unavailable"


class Overloaded(Unavailable):
    """More inputs wait than the operator allows; nothing of this call was queued."""

    code = "overloaded"


class Cancelled(Unavailable):
    """The caller gave up before the job reached a device."""

    code = "cancelled"


class ModelFailed(AppError):
    """The model raised, or answered with the wrong shape or with numbers that are not finite."""

    kind = Kind.FAILED
    code = "model_failed"


class DeadlineExceeded(AppError):
    """The job's deadline passed while it waited; it never reached a device."""

    kind = Kind.DEADLINE
    code = "deadline_exceeded"


class VersionStatus(StrEnum):
    """Whether a version answers."""

    LOADING = "loading"
    READY = "ready"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class VersionState:
    """One version in the catalogue; `reason` says in plain words why it does not answer.

    A ready one has the manifest that it was loaded with: `model.toml` may have changed since.
    """

    number: int
    status: VersionStatus
    reason: str | None = None
    card: str | None = None
    labels: tuple[str, ...] = ()
    manifest: Manifest | None = None


@dataclass(frozen=True, slots=True)
class ModelState:
    """One model in the catalogue, with the manifest that its default version answers by.

    `reason` says what is wrong with `model.toml`: broken, or changed since that version was loaded. Where it was broken
    before any version was ready, there is neither manifest nor version.
    """

    name: str
    manifest: Manifest | None
    versions: Mapping[int, VersionState] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """A version that answers now."""

    manifest: Manifest
    number: int
    labels: tuple[str, ...] = ()

    @property
    def model(self) -> str:
        return self.manifest.name


@dataclass(frozen=True, slots=True)
class Job:
    """One call for one version; `deadline_ns` is on the clock of `time.perf_counter_ns`."""

    model: str
    version: int
    account_id: str
    input: ModelInput
    deadline_ns: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """The caller's end of a submitted job.

    `result` yields the Prediction, or raises ModelFailed, DeadlineExceeded, ModelUnavailable (the engine stopped) or
    Cancelled.
    """

    result: "asyncio.Future[Prediction]"
    withdraw: Callable[[], bool]

    def cancel(self) -> bool:
        """Give the job up. True where it had not started: then `result` raises Cancelled and the job costs nothing.

        False where it runs or is done: it is computed, and charged, to its end.
        """
        return self.withdraw()


@dataclass(frozen=True, slots=True)
class Device:
    """A device that has been held since `started_at`, busy or idle."""

    name: str
    started_at: datetime


class Engine(Protocol):
    """Runs models on devices. Its methods are called on one event loop."""

    async def start(self) -> None:
        """Begin to load the versions in the background and return at once."""
        ...

    async def stop(self) -> None:
        """Refuse what waits with ModelUnavailable, finish what runs, release the devices."""
        ...

    def catalogue(self) -> list[ModelState]:
        """Return every model of the repository, those that cannot answer included, by name."""
        ...

    def resolve(self, name: str, version: int | None) -> ServedVersion:
        """Return the version, or the default one. Raises ModelNotFound, VersionNotFound, ModelUnavailable."""
        ...

    async def prepare(self, served: ServedVersion, model_input: ModelInput) -> ModelInput:
        """Decode images off the event loop; rows come back as they are. Raises InputInvalid, Overloaded.

        Await it before a claim is taken: a bad image is refused while nothing has been promised yet.
        """
        ...

    def submit(self, job: Job) -> Ticket:
        """Queue a prepared job. Raises Overloaded, ModelUnavailable."""
        ...

    def devices(self) -> tuple[Device, ...]:
        """Return the devices that this engine holds."""
        ...
