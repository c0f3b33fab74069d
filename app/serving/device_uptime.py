"""How long devices were held, busy or idle: without it the idle cost of the hardware would be unknown."""

import asyncio

from app.charging.recorder import Recorder
from app.clock import Clock
from app.ids import new_id
from app.inference.engine import Device, Engine
from app.metering.usage_event import DeviceInterval
from app.telemetry import get_logger

_BEAT_S = 5.0
_log = get_logger(__name__)


class DeviceUptime:
    """Moves the end of each device's interval on, every five seconds and at the end."""

    def __init__(self, engine: Engine, recorder: Recorder, clock: Clock) -> None:
        self._engine = engine
        self._recorder = recorder
        self._clock = clock
        self._ids: dict[Device, str] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to note."""
        self._task = asyncio.create_task(self._keep_noting())

    async def stop(self) -> None:
        """Note a last time."""
        if self._task is not None:
            self._task.cancel()
        self._note()

    async def _keep_noting(self) -> None:
        while True:
            try:
                self._note()
            except Exception:  # noqa: BLE001 - the cost of every hour to come hangs on this loop
                _log.exception("device time could not be noted")
            await asyncio.sleep(_BEAT_S)

    def _note(self) -> None:
        now = self._clock.now()
        for device in self._engine.devices():
            interval_id = self._ids.setdefault(device, new_id("dev", device.started_at))
            self._recorder.note(
                DeviceInterval(interval_id, device.name, device.started_at, max(now, device.started_at))
            )
