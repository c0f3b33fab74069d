"""Settings: environment variables `FAREMETER_*`, typed, checked once at start, never imported by pure code."""

import os
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.errors import Invalid

_PREFIX = "FAREMETER_"


class Settings(BaseSettings):
    """What an operator may set. Sizes, counts and durations carry their unit in the name."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: SecretStr | None = Field(None, description="sqlite:///FILE or postgresql://…; default: in DATA_DIR")
    data_dir: Path = Field(Path("data"), description="database, trained and fetched weights")
    models_dir: Path = Field(Path("models"), description="the model repository")
    hardware_file: Path = Field(Path("hardware.toml"), description="what the hardware costs")
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="where models run")
    default_plan: str | None = Field(None, description="the plan a new account gets when none is named")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    fetch_weights: bool = Field(True, description="whether published weights that are missing may be downloaded")

    body_bytes_max: int = Field(32 * 2**20, ge=1024, description="a request body, after chunked decoding")
    request_deadline_s: int = Field(
        30, ge=1, le=600, description="a predict call, from its first byte to the end of its run"
    )
    drain_s: int = Field(
        0, ge=0, le=300, description="how long new calls are served after SIGTERM, until balancers know of it"
    )
    queue_items_max: int = Field(4096, ge=1, description="inputs waiting for one model before calls get 503")
    decode_threads: int = Field(2, ge=1, le=64, description="threads that decode images")
    commit_group_max: int = Field(1024, ge=1, le=4096, description="usage events in one durable commit, at most")
    process_lease_s: int = Field(6, ge=3, le=60, description="how long a silent process keeps its claims")
    answer_ttl_h: int = Field(24, ge=24, description="how long an idempotent answer is kept")
    limits: Literal["on", "off"] = Field("on", description="whether requests, units and calls at once are limited")
    redis_url: SecretStr | None = Field(
        None,
        description="redis://[:PASSWORD@]HOST:PORT/0: what several serving processes need to count limits together",
    )
    redis_wait_ms: int = Field(
        100, ge=10, le=10_000, description="how long a call waits for Redis before its process keeps to its share"
    )
    http_processes: int = Field(
        1, ge=1, le=1024, description="serving processes on all hosts: each keeps to its share while Redis is away"
    )
    issue_grace_s: int = Field(3600, ge=3600, description="how long after its period's end an invoice is issued")

    public_url: str = Field(
        "http://127.0.0.1:8000",
        pattern=r"^https?://[A-Za-z0-9.:\[\]-]+$",
        description="where people reach the portal, without a path; SMTP_URL and OIDC_ISSUER need it set",
    )
    trusted_proxies: str | None = Field(
        None,
        description=(
            "addresses or networks whose X-Forwarded-For is believed, by comma; default: nobody's: behind a proxy that"
            " is not named here all people are one client, and share its limits of sign-ins and mails"
        ),
    )
    sign_up: Literal["open", "invitation", "closed"] = Field(
        "open", description="who may sign up; `open` needs DEFAULT_PLAN, which a new account gets"
    )
    session_ttl_h: int = Field(
        24 * 14,
        ge=1,
        le=24 * 90,
        description="how long a person stays signed in at most; a day without a visit ends it sooner",
    )
    smtp_url: SecretStr | None = Field(
        None, description="smtp://USER:PASSWORD@HOST:PORT or smtps://…; default: mail lands in DATA_DIR/outbox"
    )
    mail_from: str = Field("Faremeter <faremeter@localhost>", description="the sender of mails")
    oidc_issuer: str | None = Field(None, description="an OpenID Connect provider people may sign in with")
    oidc_client_id: str | None = Field(None, description="this installation's client id at the provider")
    oidc_client_secret: SecretStr | None = Field(None, description="and its secret")
    oidc_name: str = Field("OpenID Connect", description="the provider's name on the sign-in page")

    @property
    def database_url_or_default(self) -> str:
        """The database URL; without one, a SQLite file in the data folder."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir.resolve() / 'faremeter.db'}"


def load_settings(**overrides: object) -> Settings:
    """Read the environment. Raises Invalid with one clear line for each wrong or mistyped variable."""
    _refuse_mistyped(name for name in os.environ if name.startswith(_PREFIX))
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = [f"FAREMETER_{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise Invalid("; ".join(lines), where="environment", hint="correct the variable and start again") from None


def _refuse_mistyped(names: Iterable[str]) -> None:
    """Raise Invalid for a variable that is nearly a setting: a typing mistake must not pass for a default.

    What resembles no setting is somebody else's: orchestrators set FAREMETER_PORT and the like on their own.
    """
    known = [name.upper() for name in Settings.model_fields]
    for name in sorted({name.removeprefix(_PREFIX) for name in names} - set(known)):
        if close := get_close_matches(name, known, n=1, cutoff=0.8):
            raise Invalid(
                f"{_PREFIX}{name} is no setting", where="environment", hint=f"did you mean {_PREFIX}{close[0]}?"
            )
