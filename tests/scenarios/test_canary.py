"""Goal: no secret is anywhere but where it belongs. A real server at its most talkative log level; keys, passwords and
the passwords inside its own settings are canaries; they are used well, badly and in every wrong place, and then looked
for in whatever the server has written: answers, log, metrics, exports, its database and a backup of it.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import httpx
from sqlalchemy import make_url, select

from app.accounts.account import DEFAULT_SCOPES, Scope
from app.bootstrap import Books
from app.database import Base
from tests.scenarios.server_process import ServerProcess, Tenant, tenants
from tests.scenarios.test_conservation import PLAN

IN_SETTINGS = {"database": "canary-database-7d1e", "redis": "canary-redis-7d1e", "smtp": "canary-smtp-7d1e"}
OPERATOR = ("canary@example.test", "canary-operator-password-7d1e")
WRONG_PASSWORD = "canary-wrong-password-7d1e"
ROW = [0.02] * 10
PREDICT = "/v1/models/linear/predict"
HEADERS = (
    *("Accept", "Accept-Language", "Content-Encoding", "Content-Type", "Cookie", "Expect", "Host", "Idempotency-Key"),
    *("If-None-Match", "Origin", "Referer", "Traceparent", "User-Agent", "X-Forwarded-For", "X-Request-Id"),
)


def settings(database_url: str) -> dict[str, str]:
    """Nobody answers at the addresses of Redis and of the mail server: what fails is talked about."""
    return {
        "FAREMETER_DATABASE_URL": with_password(database_url),
        "FAREMETER_REDIS_URL": f"redis://meter:{IN_SETTINGS['redis']}@127.0.0.1:1/0",
        "FAREMETER_SMTP_URL": f"smtp://meter:{IN_SETTINGS['smtp']}@127.0.0.1:1",
        "FAREMETER_PUBLIC_URL": "https://meter.example.test",
        "FAREMETER_LOG_LEVEL": "debug",
    }


def with_password(database_url: str) -> str:
    """The tests' PostgreSQL trusts whoever comes, with whatever password; SQLite knows none."""
    url = make_url(database_url)
    return (
        database_url
        if url.database is None or "sqlite" in url.drivername
        else url.set(password=IN_SETTINGS["database"]).render_as_string(hide_password=False)
    )


def test_no_secret_is_found_anywhere(database_url: str, books: Books, tmp_path: Path) -> None:
    (tenant,) = tenants(books, PLAN, 1)
    books.accounts.create_user(*OPERATOR, operator=True)
    every = DEFAULT_SCOPES | {Scope.KEYS_WRITE, Scope.ADMIN}
    admin = books.accounts.create_key(tenant.account_id, scopes=every, operator_email=OPERATOR[0])
    caller = Tenant(tenant.account_id, admin.secret)
    server = ServerProcess(database_url, tmp_path)
    server.environment |= settings(database_url)
    with server, httpx.Client(base_url=server.url, timeout=60, verify=False, trust_env=False) as http:
        answers = list(leave_canaries(http, caller))
        books.passwords.request_reset(OPERATOR[0], language="en", address=None)
        answers += [http.get(path, headers=caller.headers) for path in READ_BACK]
    assert answers[0].status_code == 200
    assert 500 not in {answer.status_code for answer in answers}
    telling = [answer for answer in answers if admin.secret[8:].lower() in f"{answer.headers} {answer.text}".lower()]
    assert [f"{answer.request.method} {answer.request.url}: {answer.text}" for answer in telling] == []
    places = {
        "answers": "\n".join(f"{answer.headers} {answer.text}" for answer in answers),
        "log": server.log.read_text(),
        "database": dump_of(books),
        "files": files_in(tmp_path, Path(make_url(database_url).database or "").parent),
        "backup": backup_of(books, tmp_path / "backup.faremeter"),
    }
    secrets = {"key": admin.secret[8:], "operator": OPERATOR[1], "guess": WRONG_PASSWORD, **IN_SETTINGS}
    secrets["basic"] = basic(OPERATOR[1]).removeprefix("Basic ")
    assert all(place.strip() for place in places.values())
    assert '"event": "refused"' in places["log"]
    found = [
        (name, place) for name, secret in secrets.items() for place in places if secret.lower() in places[place].lower()
    ]
    assert found == []


READ_BACK = (
    "/metrics",
    "/openapi.json",
    "/v1/keys",
    "/v1/usage/events",
    "/v1/usage/events.csv",
    "/v1/admin/audit-log",
    "/v1/admin/plans",
    "/login",
)


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"{OPERATOR[0]}:{password}".encode()).decode()


def leave_canaries(http: httpx.Client, caller: Tenant) -> Iterator[httpx.Response]:
    """Use the key as it should be used, and then wherever a program or a person may have put it by mistake."""
    key, known = caller.secret, caller.headers
    yield http.post(PREDICT, json={"inputs": [ROW]}, headers=known)
    yield from (http.post(PREDICT, json={"inputs": [ROW]}, headers={"X-API-Key": key}) for _ in range(2))
    for name in HEADERS:
        yield http.post(PREDICT, json={"inputs": [ROW]}, headers=known | {name: key})
        yield http.post("/v1/keys", json={}, headers={"Authorization": f"Bearer {key}x", name: key})
    for scheme in ("Bearer", "Basic", "Digest", "Token", ""):
        yield http.get("/v1/usage", headers={"Authorization": f"{scheme} {key}x".strip()})
    for path in (
        "/{}",
        "/v1/keys/{}",
        "/v1/models/{}",
        "/v1/models/{}/predict",
        "/v1/invoices/{}",
        "/app/{}",
        "/reset/{}",
    ):
        for method in ("GET", "POST", "DELETE"):
            yield http.request(method, path.format(key), headers=known)
            yield http.request(method, path.format(key.replace("_", "%5F")), headers=known)
    for query in ("key", "model", "tz", "cursor", "x"):
        yield http.get("/v1/usage", params={query: key}, headers=known)
    yield from misplaced_in_bodies(http, caller)
    for password in (OPERATOR[1], WRONG_PASSWORD):
        for path in ("/v1/admin/accounts", "/v1/admin/nowhere", "/v1/usage"):
            yield http.get(path, headers={"Authorization": basic(password)})
        yield http.post("/login", data={"email": OPERATOR[0], "password": password})


def misplaced_in_bodies(http: httpx.Client, caller: Tenant) -> Iterator[httpx.Response]:
    key, known = caller.secret, caller.headers
    account = f"/v1/admin/accounts/{caller.account_id}"
    for inputs in ([key], [[key] * 10], [{key: 1}], [{"b64": key}], key):
        yield http.post(PREDICT, json={"inputs": inputs}, headers=known)
    for body in (json.dumps({key: 1}), key, f'{{"inputs": {key}', f'{{"inputs": [[{key}]]}}'):
        yield http.post(PREDICT, content=body, headers=known | {"Content-Type": "application/json"})
        yield http.post("/v1/keys", content=body, headers=known | {"Content-Type": "application/json"})
    yield http.post("/v1/models/vgg16/predict", files={"file": (key, key.encode(), "image/png")}, headers=known)
    yield http.post(PREDICT, files={key: (key, b"x")}, headers=known)
    for field in ("name", "scopes", "models", "expires_at", "limits", "surplus"):
        value = [key] if field in {"scopes", "models"} else key
        yield http.post("/v1/keys", json={field: value}, headers=known)
    for field in ("name", "currency", "zone", "plan"):
        yield http.post("/v1/admin/accounts", json={"name": "X", field: key}, headers=known)
    for field in ("amount", "note", "kind"):
        yield http.post(f"{account}/credits", json={"amount": "1", field: key}, headers=known)
    yield http.put(f"{account}/plan", json={"plan": key}, headers=known)
    yield http.put(f"{account}/budgets/money/{key}", json={"limit": "1"}, headers=known)
    yield http.put(f"{account}/budgets/money/day", json={"limit": key}, headers=known)
    yield http.post("/v1/admin/invoice-runs", json={"month": key}, headers=known)
    for toml in (key, f'key = "{key}"', f"# {key}\n{PLAN}".replace("scenario", "commented")):
        yield http.post("/v1/admin/plans", content=toml, headers=known | {"Content-Type": "application/toml"})


def dump_of(books: Books) -> str:
    """Return every row; not the texts of mails that wait, whose links are meant for their readers alone."""
    tables = [table for table in Base.metadata.sorted_tables if table.name != "outgoing_mail"]
    with books.database.reading() as session:
        return "\n".join(str(tuple(row)) for table in tables for row in session.execute(select(table)))


def files_in(data: Path, database: Path) -> str:
    """Return all that the server has written into its data folder, and the files of a SQLite database."""
    files = [*data.rglob("*"), *database.glob("*.db*")]
    return "\n".join(file.read_bytes().decode("latin-1") for file in files if file.is_file())


def backup_of(books: Books, path: Path) -> str:
    books.backups.take(path)
    with ZipFile(path) as archive:
        return "\n".join(archive.read(name).decode("latin-1") for name in archive.namelist())
