"""Logs: structured lines on stderr, one request id through them all, and no secret in any of them."""

import logging
import re
import sys
from typing import Any

import structlog

# API keys, passwords inside database URLs, Bearer and Basic credentials. A quote ends each: a log line is JSON.
_A_WORD = r"[A-Za-z][a-z]{0,14}\.?(?![\w+/=.~-])"  # as in "no Bearer key": a credential is never so plain
_SECRET = re.compile(
    r"(fm_(?:live|test)_)\w+"
    r"|(?<=://)([^:/@\s\"]*):[^\s\"]+(?=@)"
    rf"|(?i:(basic|bearer) )(?!{_A_WORD})[\w+/=.~-]+"
)


def redact(text: str) -> str:
    """Return the text with every secret replaced."""
    return _SECRET.sub(lambda match: f"{match[1] or match[2] or match[3] or ''}[redacted]", text)


def _redact_line(_logger: Any, _name: str, line: Any) -> str:
    return redact(str(line))


def configure_logging(level: str) -> None:
    """Send every log line, those of libraries included, as one JSON object to stderr."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
                _redact_line,  # the whole line: a secret may hide in a nest or in an object's repr
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for talkative in ("alembic", "httpx", "apscheduler"):
        logging.getLogger(talkative).setLevel(max(logging.WARNING, root.level))


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    return structlog.stdlib.get_logger(name)
