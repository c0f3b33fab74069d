"""`faremeter serve` and `worker`: the processes."""

import signal
from types import FrameType
from typing import Annotated

import typer
import uvicorn

from app import worker as worker_process
from app.commands.http_workers import prepared_for
from app.settings import load_settings

app = typer.Typer()
_RECORD_S_MAX = 15  # what a call that ran up to its deadline still needs to be recorded
_WORKER_SILENT_S_MAX = 30  # importing torch leaves no time to answer
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Workers = Annotated[
    int,
    typer.Option("--http-workers", help="Serving processes; more than one need FAREMETER_REDIS_URL.", min=1, max=256),
]
Port = Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)]


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000, http_workers: Workers = 1) -> None:
    """Serve the API. Migrate first: `faremeter db upgrade`."""
    settings = load_settings()
    signal.signal(signal.SIGTERM, _end)  # the server's own handler stands before it while it serves
    with prepared_for(http_workers, settings):
        uvicorn.run(
            "app.main:application",
            factory=True,
            host=host,
            port=port,
            workers=http_workers,
            timeout_worker_healthcheck=_WORKER_SILENT_S_MAX,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies or "",
            timeout_graceful_shutdown=settings.request_deadline_s + _RECORD_S_MAX,
            h11_max_incomplete_event_size=64 * 1024,
        )


def _end(_number: int, _frame: FrameType | None) -> None:
    """End well: whoever sends SIGTERM has asked for nothing else."""
    raise SystemExit(0)


@app.command()
def worker() -> None:
    """Run the background jobs, every five minutes.

    It drafts and issues invoices, writes off credit that has expired, mails what budgets have to tell, makes the
    partitions of the months to come, and drops answers, links, sessions and mails that are kept no longer. It frees as
    well what dead processes have left, within seconds. One is enough; several do no harm.

    A server delivers the mails, and counts credit as expired and budgets as reached, with or without a worker.
    """
    worker_process.run(load_settings())
