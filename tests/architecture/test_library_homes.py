"""Each library has a home; nobody else knows its name. A library can then be replaced by rewriting its home."""

import pytest

from tests.architecture.source_tree import source_files

HOMES = {
    "sqlalchemy": ["app/database.py", "app/group_sql.py", "app/*/tables.py", "app/*/store.py", "app/*/*_store.py"],
    "psycopg": ["app/group_sql.py", "app/database.py"],
    "fastapi": ["app/main.py", "app/api/*.py", "app/portal/*.py", "app/portal/*/*.py"],
    "starlette": ["app/main.py", "app/api/*.py", "app/portal/*.py", "app/portal/*/*.py"],
    "jinja2": ["app/portal/frame/rendering.py"],
    "babel": ["app/portal/frame/*.py"],
    "authlib": ["app/members/open_id_provider.py"],
    "joserfc": ["app/members/open_id_provider.py"],
    "smtplib": ["app/outbox/*.py"],
    "pydantic": ["app/settings.py", "app/api/*.py", "app/portal/*.py", "app/portal/*/*.py"],
    "torch": ["app/inference/runner.py", "app/training/*.py", "models/*/*.py"],
    "torchvision": ["app/inference/runner.py", "app/training/*.py", "models/*/*.py"],
    "typer": ["app/__main__.py", "app/commands/*.py"],
    "rich": ["app/__main__.py", "app/commands/*.py"],
    "alembic": ["app/schema.py"],
}

# (file, module) that a function may import when it runs, each with its reason.
_TORCH_IS_SLOW = "importing torch takes seconds, and only a process that runs or trains a model should wait for it"
LAZY_IMPORTS = {
    ("app/bootstrap.py", "app.inference.inline_engine"): _TORCH_IS_SLOW,
    ("app/commands/models.py", "app.inference.model_check"): _TORCH_IS_SLOW,
    ("app/commands/train.py", "app.training.linear"): _TORCH_IS_SLOW,
    ("app/commands/train.py", "app.training.vgg16_digits"): _TORCH_IS_SLOW,
}


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_imported_only_at_home(library: str) -> None:
    strangers = [
        str(file.path)
        for file in source_files("app", "models")
        if any(item.module.split(".")[0] == library for item in file.imports())
        and not any(file.matches(home) for home in HOMES[library])
    ]
    assert strangers == []


def test_nothing_is_imported_inside_a_function_without_a_reason() -> None:
    lazy = {
        (str(file.path), item.module)
        for file in source_files("app", "models", "migrations", "benchmarks")
        for item in file.imports()
        if item.in_function
    }
    assert lazy == set(LAZY_IMPORTS)
