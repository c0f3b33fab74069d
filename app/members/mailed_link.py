"""A link in a mail: who follows it has read that mailbox."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.errors import NotFound
from app.members.role import Role


class LinkPurpose(StrEnum):
    """What a link is for."""

    SIGN_UP = "sign_up"
    INVITATION = "invitation"
    RESET = "reset"
    EMAIL_CHANGE = "email_change"


LIFETIME_OF = {
    LinkPurpose.SIGN_UP: timedelta(hours=24),
    LinkPurpose.INVITATION: timedelta(days=7),
    LinkPurpose.RESET: timedelta(hours=1),
    LinkPurpose.EMAIL_CHANGE: timedelta(hours=24),
}


class LinkInvalid(NotFound):
    """The link is unknown, was used, or has expired: which of them is not said."""

    code = "link_invalid"


@dataclass(frozen=True, slots=True)
class MailedLink:
    """What a link stands for.

    `account_name` is the account to be opened, or the one of an invitation, which also has `account_id` and `role`;
    `invited_by` is the user who invites, None where the installation does; `user_id` is whose password or address the
    link changes; `language` is the mail's, `zone` the new account's.
    """

    id: str
    purpose: LinkPurpose
    email: str
    account_id: str | None
    account_name: str | None
    user_id: str | None
    language: str
    zone: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    role: Role | None = None
    invited_by: str | None = None

    def usable_at(self, instant: datetime) -> bool:
        """Tell whether the link was neither used nor has expired."""
        return self.used_at is None and instant < self.expires_at


def link_invalid() -> LinkInvalid:
    """Return the one error for every link that does not work."""
    return LinkInvalid("this link does not work", hint="links work once and for a short time: ask for a new one")
