"""The inline engine: models run in this process, one owner thread a device, beside the event loop that serves HTTP."""

import asyncio
from dataclasses import replace
from functools import partial

from app.clock import Clock
from app.errors import InvariantViolation
from app.inference.decode_pool import DecodePool
from app.inference.device_thread import DeviceThread, Lane
from app.inference.engine import (
    Device,
    Job,
    ModelNotFound,
    ModelState,
    ModelUnavailable,
    OnBatch,
    ServedVersion,
    Ticket,
    VersionNotFound,
    VersionStatus,
)
from app.inference.inputs import ModelInput
from app.inference.manifest import ImageInput, Manifest
from app.inference.model_repository import ModelRepository
from app.inference.runner import Runner, choose_device
from app.inference.version_loader import VersionLoader


class InlineEngine:
    """An Engine; see there for what its methods promise. `on_batch` is called on the thread of the device."""

    def __init__(
        self,
        repository: ModelRepository,
        *,
        device: str,
        clock: Clock,
        on_batch: OnBatch,
        queue_items_max: int,
        decode_threads: int,
        fetch_weights: bool = True,
    ) -> None:
        """Choose the device (`auto`, `cpu`, `cuda:0`). Raises DeviceInvalid."""
        self._main_device = choose_device(device)
        self._clock = clock
        self._on_batch = on_batch
        self._queue_items_max = queue_items_max
        self._decode_pool = DecodePool(threads=decode_threads, files_max=queue_items_max)
        self._loader = VersionLoader(
            repository, device_of=self._device_of, on_ready=self._serve, fetch_weights=fetch_weights
        )
        self._threads: dict[str, DeviceThread] = {}
        self._devices: tuple[Device, ...] = ()
        self._lanes: dict[tuple[str, int], tuple[DeviceThread, Lane]] = {}
        manifests = (folder.manifest for folder in repository.scan())
        self._device_names = {self._main_device} | {"cpu" for each in manifests if each and each.device == "cpu"}

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        started_at = self._clock.now()
        for name in sorted(self._device_names):
            self._threads[name] = DeviceThread(
                device=name,
                engine="inline",
                clock=self._clock,
                on_batch=self._on_batch,
                loop=loop,
                queue_items_max=self._queue_items_max,
            )
        self._devices = tuple(Device(name, started_at) for name in self._threads)
        self._loader.start()

    async def stop(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._loader.stop)
        for thread in self._threads.values():
            await loop.run_in_executor(None, thread.stop)
        self._decode_pool.close()

    def catalogue(self) -> list[ModelState]:
        return [state for _, state in sorted(self._loader.models().items())]

    def resolve(self, name: str, version: int | None) -> ServedVersion:
        model = self._loader.models().get(name)
        if model is None:
            raise ModelNotFound(f"there is no model {name!r}", where="model", hint="GET /v1/models lists them")
        if model.manifest is None:
            raise ModelUnavailable(f"{name} cannot be served: {model.reason}")
        number = version if version is not None else model.manifest.default_version
        state = model.versions.get(number)
        if state is None:
            known = ", ".join(map(str, model.versions))
            raise VersionNotFound(f"{name} has no version {number}", where="version", hint=f"its versions are {known}")
        if state.status is not VersionStatus.READY or state.manifest is None:
            reason = state.reason or "it is still loading"
            raise ModelUnavailable(f"{name} {number} cannot answer now: {reason}", retry_after_s=30)
        return ServedVersion(state.manifest, number, state.labels)

    async def prepare(self, served: ServedVersion, model_input: ModelInput) -> ModelInput:
        spec = served.manifest.input
        if not isinstance(spec, ImageInput) or model_input.array is not None:
            return model_input
        return replace(model_input, array=await self._decode_pool.decode(spec, model_input.files), files=())

    def submit(self, job: Job) -> Ticket:
        if job.input.array is None:
            raise InvariantViolation("a job was submitted before its images were decoded")
        served = self._lanes.get((job.model, job.version))
        if served is None:
            raise ModelUnavailable(f"{job.model} {job.version} cannot answer now", retry_after_s=30)
        thread, lane = served
        pending = thread.submit(lane, job)
        return Ticket(pending.result, partial(thread.withdraw, lane, pending))

    def devices(self) -> tuple[Device, ...]:
        return self._devices

    def _device_of(self, manifest: Manifest) -> str:
        """Return where a model runs: on the main device, unless its manifest asks for the CPU and one is held."""
        return "cpu" if manifest.device == "cpu" and "cpu" in self._device_names else self._main_device

    def _serve(self, runner: Runner) -> None:
        thread = self._threads[runner.device]
        self._lanes[runner.manifest.name, runner.number] = (thread, thread.add(runner))
