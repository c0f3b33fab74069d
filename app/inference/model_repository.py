"""The model repository on disk: `models/<name>/`, its numbered versions overlaid by those of the data folder.

What is trained or fetched goes into the data folder; the tree of the operator is never written to. Weights are
safetensors alone: a pickle is code, and is refused by its name and by its first bytes.
"""

from dataclasses import dataclass
from pathlib import Path

from app.inference.manifest import Manifest, ManifestInvalid, parse_manifest

WEIGHTS_FILE = "weights.safetensors"
_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".joblib")
_PICKLE_STARTS = (b"\x80", b"PK\x03\x04")


@dataclass(frozen=True, slots=True)
class VersionFolder:
    """One version: the folders that hold its files, the one that wins first (data, then models)."""

    number: int
    folders: tuple[Path, ...]

    def find(self, file_name: str) -> Path | None:
        """Return the winning file of that name, if there is one."""
        return next((path for folder in self.folders if (path := folder / file_name).is_file()), None)

    def read_text(self, file_name: str) -> str | None:
        """Return the text of the winning file of that name."""
        path = self.find(file_name)
        return path.read_text(encoding="utf-8") if path else None

    @property
    def weights(self) -> Path | None:
        return self.find(WEIGHTS_FILE)

    @property
    def data_folder(self) -> Path:
        """Where trained or fetched files of this version go; it need not exist yet."""
        return self.folders[0]

    def refusal(self) -> str | None:
        """Say why its weights may not be loaded, in plain words; None where they may be tried."""
        weights = self.weights
        if weights is not None:
            with weights.open("rb") as file:
                start = file.read(4)
            if start.startswith(_PICKLE_STARTS):
                return f"{WEIGHTS_FILE} is a pickle, which is code: only safetensors are loaded"
            return None
        pickle = next(
            (path.name for folder in self.folders for path in _entries(folder) if path.suffix in _PICKLES), None
        )
        if pickle:
            return f"{pickle} is a pickle, which is code: only safetensors are loaded"
        return f"{WEIGHTS_FILE} is not there yet"


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """One model: its manifest, or the reason why that cannot be read, and its versions by number."""

    name: str
    predictor: Path
    manifest: Manifest | None
    reason: str | None
    versions: dict[int, VersionFolder]


class ModelRepository:
    """Reads `models_dir`, overlaid by `data_dir/models`."""

    def __init__(self, models_dir: Path, data_dir: Path) -> None:
        self._models_dir = models_dir.resolve()
        self._data_models_dir = (data_dir / "models").resolve()

    def scan(self) -> list[ModelFolder]:
        """Return every folder that holds a `model.toml`, by name; one broken manifest does not hide the others."""
        return [self._read(path) for path in _entries(self._models_dir) if (path / "model.toml").is_file()]

    def version(self, name: str, number: int) -> VersionFolder:
        """Return the folders of a version, whether they exist or not."""
        return VersionFolder(
            number, (self._data_models_dir / name / str(number), self._models_dir / name / str(number))
        )

    def _read(self, path: Path) -> ModelFolder:
        try:
            manifest = _read_manifest(path)
        except (ManifestInvalid, OSError, UnicodeDecodeError) as error:
            return ModelFolder(path.name, path / "predictor.py", None, f"model.toml: {error}", {})
        numbers = self._version_numbers(path.name) | {manifest.default_version}
        versions = {number: self.version(path.name, number) for number in sorted(numbers)}
        return ModelFolder(path.name, path / "predictor.py", manifest, None, versions)

    def _version_numbers(self, name: str) -> set[int]:
        folders = (self._models_dir / name, self._data_models_dir / name)
        return {
            int(path.name)
            for folder in folders
            for path in _entries(folder)
            if path.name.isdecimal() and path.name[0] != "0" and path.is_dir()
        }


def _read_manifest(path: Path) -> Manifest:
    manifest = parse_manifest((path / "model.toml").read_text(encoding="utf-8"))
    if manifest.name != path.name:
        raise ManifestInvalid(f"is {manifest.name!r} in the folder {path.name!r}", where="name")
    return manifest


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
