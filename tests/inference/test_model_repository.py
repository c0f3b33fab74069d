"""The model repository: what is on disk, what wins, and what is refused."""

from pathlib import Path

import pytest

from app.inference.model_repository import ModelRepository
from tests.inference.model_folders import write_model, write_weights


@pytest.fixture
def repository(tmp_path: Path) -> ModelRepository:
    return ModelRepository(tmp_path / "models", tmp_path / "data")


def test_the_shipped_models_are_well_formed(tmp_path: Path) -> None:
    folders = ModelRepository(Path("models"), tmp_path).scan()
    assert [(folder.name, folder.reason) for folder in folders] == [
        ("linear", None),
        ("vgg16", None),
        ("vgg16-digits", None),
    ]
    assert folders[0].versions[1].refusal() is None


def test_the_data_folder_wins_and_adds_versions(tmp_path: Path, repository: ModelRepository) -> None:
    version_dir = write_model(tmp_path / "models", "one")
    (version_dir / "card.md").write_text("from models")
    write_weights(version_dir)
    write_weights(tmp_path / "data" / "models" / "one" / "1")
    write_weights(tmp_path / "data" / "models" / "one" / "3")
    (folder,) = repository.scan()
    assert list(folder.versions) == [1, 3]
    assert folder.versions[1].weights == tmp_path / "data" / "models" / "one" / "1" / "weights.safetensors"
    assert folder.versions[1].read_text("card.md") == "from models"


def test_folders_that_are_no_version_are_passed_over(tmp_path: Path, repository: ModelRepository) -> None:
    version_dir = write_model(tmp_path / "models", "one")
    for name in ("01", "latest", ".writing-1", "0"):
        (version_dir.parent / name).mkdir()
    (tmp_path / "models" / "no-manifest").mkdir()
    (folder,) = repository.scan()
    assert list(folder.versions) == [1]


def test_a_default_version_that_is_not_there_yet_is_listed_with_its_reason(
    tmp_path: Path, repository: ModelRepository
) -> None:
    write_model(tmp_path / "models", "one").rmdir()
    (folder,) = repository.scan()
    assert folder.versions[1].refusal() == "weights.safetensors is not there yet"


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\x80\x02}q"])
def test_a_pickle_under_the_right_name_is_refused(tmp_path: Path, repository: ModelRepository, start: bytes) -> None:
    version_dir = write_model(tmp_path / "models", "one")
    (version_dir / "weights.safetensors").write_bytes(start + bytes(100))
    (folder,) = repository.scan()
    assert "is a pickle" in (folder.versions[1].refusal() or "")


def test_a_manifest_of_another_name_is_broken(tmp_path: Path, repository: ModelRepository) -> None:
    write_model(tmp_path / "models", "one").parent.rename(tmp_path / "models" / "two")
    (folder,) = repository.scan()
    assert folder.manifest is None
    assert "'one' in the folder 'two'" in (folder.reason or "")


def test_no_models_at_all_is_an_empty_repository(repository: ModelRepository) -> None:
    assert repository.scan() == []
