"""Settings: read from the environment, refused in one clear line, and silent about secrets."""

from pathlib import Path

import pytest

from app.errors import Invalid
from app.settings import load_settings

SECRET_URL = "postgresql://faremeter:hunter2hunter2@db/books"


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAREMETER_DATABASE_URL", raising=False)
    monkeypatch.delenv("FAREMETER_DATA_DIR", raising=False)


def test_without_a_url_the_database_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    assert settings.database_url_or_default == f"sqlite:///{tmp_path}/faremeter.db"


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAREMETER_DATABASE_URL", SECRET_URL)
    monkeypatch.setenv("FAREMETER_QUEUE_ITEMS_MAX", "7")
    settings = load_settings()
    assert settings.database_url_or_default == SECRET_URL
    assert settings.queue_items_max == 7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BODY_BYTES_MAX", "0"),
        ("BODY_BYTES_MAX", "much"),
        ("DEVICE", "gpu"),
        ("LOG_LEVEL", "loud"),
        ("ANSWER_TTL_H", "23"),  # a promise: stored answers are kept 24 h
        ("ISSUE_GRACE_S", "60"),  # shorter than the longest call could still be recorded after the invoice
        ("PROCESS_LEASE_S", "2"),
        ("COMMIT_GROUP_MAX", "0"),
    ],
)
def test_a_wrong_variable_is_named_on_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"FAREMETER_{name}", value)
    with pytest.raises(Invalid) as caught:
        load_settings()
    assert f"FAREMETER_{name}: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAREMETER_DECODE_THREADS", "0")
    monkeypatch.setenv("FAREMETER_QUEUE_ITEMS_MAX", "-1")
    with pytest.raises(Invalid, match=r"FAREMETER_QUEUE_ITEMS_MAX.*; FAREMETER_DECODE_THREADS"):
        load_settings()


def test_no_password_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAREMETER_DATABASE_URL", SECRET_URL)
    settings = load_settings()
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


def test_settings_cannot_be_changed_while_the_program_runs() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().queue_items_max = 1


def test_a_mistyped_variable_is_refused_with_the_name_that_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAREMETER_DATABSE_URL", SECRET_URL)
    with pytest.raises(Invalid, match="FAREMETER_DATABSE_URL is no setting") as refused:
        load_settings()
    assert refused.value.hint == "did you mean FAREMETER_DATABASE_URL?"


def test_a_variable_that_resembles_no_setting_is_somebody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAREMETER_PORT_8000_TCP", "tcp://10.0.0.1:8000")  # what Kubernetes sets for a Service
    monkeypatch.setenv("FAREMETER_SERVICE_HOST", "10.0.0.1")
    load_settings()
