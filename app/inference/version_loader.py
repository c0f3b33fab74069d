"""Loading versions in the background: small models first, weights that appear later as soon as they are there.

One thread of its own, so that a model that takes a minute to load holds up neither the start nor a call. What it knows
is published as one immutable snapshot after each step. Whatever is wrong with one model stays with that model. A
version that is ready keeps the manifest that it was loaded with: inputs are checked by what the runner knows.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from app.errors import AppError
from app.inference.engine import ModelState, VersionState, VersionStatus
from app.inference.manifest import Manifest
from app.inference.model_repository import ModelFolder, ModelRepository, VersionFolder
from app.inference.runner import Runner, fetch_of, load_module
from app.inference.weights_fetch import WeightsFetch
from app.telemetry import get_logger

_log = get_logger(__name__)
_RESCAN_S = 1.0


@dataclass(frozen=True, slots=True)
class _Failure:
    """A load that failed; it is not repeated before the file has changed."""

    reason: str
    stamp: tuple[int, int]


class VersionLoader:
    """Finds, fetches, loads and warms versions. `on_ready` gets each runner before the snapshot shows it as ready."""

    def __init__(
        self,
        repository: ModelRepository,
        *,
        device_of: Callable[[Manifest], str],
        on_ready: Callable[[Runner], None],
        fetch_weights: bool,
    ) -> None:
        self._repository = repository
        self._device_of = device_of
        self._on_ready = on_ready
        self._fetch_weights = fetch_weights
        self._modules: dict[Path, ModuleType] = {}
        self._fetches: dict[Path, WeightsFetch] = {}
        self._failures: dict[Path, _Failure] = {}
        self._ready: dict[tuple[str, int], VersionState] = {}
        self._snapshot: dict[str, ModelState] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="version-loader", daemon=True)

    def start(self) -> None:
        """Read the repository once, so that the catalogue is whole from the first moment; load in the background."""
        self._publish(self._repository.scan(), {})
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the load it is in, and every fetch at once; blocks until then."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for fetch in self._fetches.values():
            fetch.stop()

    def models(self) -> dict[str, ModelState]:
        """Return the last snapshot, by name; it is never changed."""
        return self._snapshot

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._round()
            except Exception:  # noqa: BLE001 - a folder may vanish between two looks; the next round looks again
                _log.exception("repository_not_read")
            self._stopping.wait(_RESCAN_S)

    def _round(self) -> None:
        """Bring every version one step further, the smallest weights first."""
        folders = self._repository.scan()
        waiting = [
            (folder, version)
            for folder in folders
            for version in folder.versions.values()
            if (folder.name, version.number) not in self._ready
        ]
        states: dict[tuple[str, int], VersionState] = {}
        for folder, version in sorted(waiting, key=lambda pair: _weights_bytes(pair[1])):
            if self._stopping.is_set():
                return
            state = self._advance(folder, version)
            (self._ready if state.status is VersionStatus.READY else states)[folder.name, version.number] = state
            self._publish(folders, states)
        self._publish(folders, states)

    def _advance(self, folder: ModelFolder, version: VersionFolder) -> VersionState:
        """Load the version, or say why it cannot be loaded now."""
        card = version.read_text("card.md")
        refusal = version.refusal()
        if refusal is None:
            loaded = self._load(folder, version)
            if isinstance(loaded, Runner):
                self._on_ready(loaded)
                return VersionState(version.number, VersionStatus.READY, None, card, loaded.labels, loaded.manifest)
            return VersionState(version.number, VersionStatus.UNAVAILABLE, loaded, card)
        fetched = self._fetch(folder, version) if version.weights is None else None
        fetch = self._fetches.get(version.data_folder)
        status = VersionStatus.LOADING if fetched and fetch and fetch.running else VersionStatus.UNAVAILABLE
        return VersionState(version.number, status, fetched or refusal, card)

    def _load(self, folder: ModelFolder, version: VersionFolder) -> Runner | str:
        """Return a warm runner, or the reason why there is none."""
        weights = version.weights
        if weights is None or folder.manifest is None:
            return "it has gone"
        stamp = (weights.stat().st_mtime_ns, weights.stat().st_size)
        failure = self._failures.get(weights)
        if failure and failure.stamp == stamp:
            return failure.reason
        try:
            module = self._module_of(folder.predictor)
            runner = Runner(folder.manifest, version.number, self._device_of(folder.manifest), module, weights.parent)
            runner.warm_up()
        except Exception as error:  # noqa: BLE001 - foreign code may raise anything; the other models go on
            _log.exception("model_not_loaded", model=folder.name, version=version.number)
            reason = f"it could not be loaded ({_shown(error)}); the server's log says more"
            self._failures[weights] = _Failure(reason, stamp)
            return reason
        _log.info("model_ready", model=folder.name, version=version.number, device=runner.device)
        return runner

    def _fetch(self, folder: ModelFolder, version: VersionFolder) -> str | None:
        """Have the weights fetched where the predictor knows how; return the state of that."""
        if not self._fetch_weights:
            return None
        target = version.data_folder
        try:
            if target not in self._fetches and fetch_of(self._module_of(folder.predictor)):
                self._fetches[target] = WeightsFetch(folder.predictor, target)
        except Exception as error:  # noqa: BLE001 - as above: a predictor may raise anything when it is imported
            return f"its predictor.py could not be imported ({_shown(error)})"
        fetch = self._fetches.get(target)
        return fetch.step() if fetch else None

    def _module_of(self, predictor: Path) -> ModuleType:
        if predictor not in self._modules:
            self._modules[predictor] = load_module(predictor)
        return self._modules[predictor]

    def _publish(self, folders: list[ModelFolder], states: dict[tuple[str, int], VersionState]) -> None:
        """Replace the snapshot; a version that was not looked at yet shows as loading, or as it was before."""
        self._snapshot = {folder.name: self._model_state(folder, states) for folder in folders}

    def _model_state(self, folder: ModelFolder, states: dict[tuple[str, int], VersionState]) -> ModelState:
        """Show a model by the manifest that it runs by; a `model.toml` that breaks stops nothing that is ready."""
        name, manifest, numbers = folder.name, folder.manifest, list(folder.versions)
        before = self._snapshot.get(name)
        if manifest is None and before and any(version.manifest for version in before.versions.values()):
            manifest, numbers = before.manifest, list(before.versions)
        if manifest is None:
            return ModelState(name, None, {}, folder.reason)
        shown = self._loaded_manifest(name, manifest)
        reason = folder.reason or ("model.toml has changed; a restart applies it" if shown != manifest else None)
        return ModelState(name, shown, {number: self._state_of(name, number, states) for number in numbers}, reason)

    def _loaded_manifest(self, name: str, manifest: Manifest) -> Manifest:
        """Return the manifest that the default version was loaded with; another may become the default at any time."""
        ready = self._ready.get((name, manifest.default_version))
        if ready is None or ready.manifest is None:
            return manifest
        return replace(ready.manifest, default_version=manifest.default_version)

    def _state_of(self, name: str, number: int, states: dict[tuple[str, int], VersionState]) -> VersionState:
        known = self._ready.get((name, number)) or states.get((name, number))
        if known:
            return known
        before = self._snapshot.get(name)
        return (before.versions.get(number) if before else None) or VersionState(number, VersionStatus.LOADING)


def _weights_bytes(version: VersionFolder) -> int:
    """Order key: what must be fetched first comes last of all, it takes longest."""
    return version.weights.stat().st_size if version.weights else 2**62


def _shown(error: Exception) -> str:
    """Return what may be shown of an error: the text of our own, the mere name of any other."""
    return str(error) if isinstance(error, AppError) else type(error).__name__
