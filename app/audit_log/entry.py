"""One line of the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.audit_log.actor import Actor


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Somebody did something: `action` is a noun and a participle (`key.created`), `target` the id it was done to.

    `account_id` is the account whose members may read the entry, None where it concerns the installation; `details`
    are names of things, roles, plan keys, what was before and after. People are ids: an entry is never deleted, so what
    identifies a person is looked up, for as long as it can be.
    """

    id: str
    occurred_at: datetime
    actor: Actor
    action: str
    target: str
    account_id: str | None
    details: Mapping[str, str]
