"""The container files say what the Makefile does, and hold no secret. No container engine is needed to check that."""

import re
import subprocess
from typing import Any

import pytest
import yaml

from app.settings import Settings
from tests.architecture.source_tree import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SECRETS = ("POSTGRES_PASSWORD", "REDIS_PASSWORD")


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name}\s+(.*)$", DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize("step", instructions("RUN"))
def test_every_build_step_is_a_make_target_that_shares_its_recipe_with_setup(step: str) -> None:
    command = re.sub(r"--mount=\S+\s+", "", step).split()
    assert command[0] == "make"
    runtime = dry_run(command[1:]).replace("requirements.lock", "LOCK").replace(".runtime", ".DONE")
    setup = dry_run(["setup", *command[2:]]).replace("requirements-dev.lock", "LOCK").replace(".setup", ".DONE")
    assert runtime == setup


def dry_run(arguments: list[str]) -> str:
    """Return the commands that make would run on a machine without .venv."""
    command = ["make", "--dry-run", "--no-print-directory", *arguments, "VENV=no-such-folder"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_the_image_runs_without_root_and_tells_its_health() -> None:
    assert instructions("USER") == ["10001:10001"]
    assert "/livez" in instructions("HEALTHCHECK")[0]


def test_what_the_dockerfile_copies_exists_and_reaches_the_builder() -> None:
    copied = {
        source.removeprefix("./")
        for arguments in instructions("COPY")
        if "--from" not in arguments
        for source in arguments.split()[:-1]
    }
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_the_services_and_profiles_are_there() -> None:
    services = COMPOSE["services"]
    assert {"app", "worker", "postgres", "redis"} <= {name for name, each in services.items() if "profiles" not in each}
    assert {name: each["profiles"] for name, each in services.items() if "profiles" in each} == {
        "app-gpu": ["gpu"],
        "caddy": ["tls"],
    }


@pytest.mark.parametrize("secret", SECRETS)
def test_nothing_starts_without_a_secret_and_none_has_a_default(secret: str) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    uses = re.findall(rf"\$\{{{secret}([^}}]*)\}}", text)
    assert uses
    assert all(use.startswith(":?") for use in uses)
    assert not re.search(rf"{secret}: (?!\$)", text)


def test_every_variable_that_a_process_gets_is_a_setting() -> None:
    services = (each for name, each in COMPOSE["services"].items() if name not in {"postgres", "redis", "caddy"})
    given = {name for each in services for name in each["environment"]} | set(re.findall(r"FAREMETER_\w+", DOCKERFILE))
    assert given <= {f"FAREMETER_{name.upper()}" for name in Settings.model_fields}


def test_only_loopback_and_caddy_are_published() -> None:
    ports = {name: each["ports"] for name, each in COMPOSE["services"].items() if "ports" in each}
    assert set(ports) == {"app", "app-gpu", "caddy"}
    assert all(port.startswith("127.0.0.1:") for name in ("app", "app-gpu") for port in ports[name])


def test_ci_runs_the_make_targets() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert re.findall(r"^make (\w+)", script, re.MULTILINE) == ["setup", "check", "test"]
