"""Links on their way: a token that exists only in the mail, under the address that the operator set."""

from datetime import datetime

from app.database import Session
from app.ids import new_id
from app.members import link_store
from app.members.mail_text import MailKind, write_mail
from app.members.mailed_link import LIFETIME_OF, LinkPurpose, MailedLink
from app.members.role import Role
from app.members.throttle import MailThrottle
from app.members.token import digest_of, new_token
from app.outbox.mail import Mail
from app.outbox.postman import Postman
from app.outbox.store import enqueue

_PATH_OF = {
    LinkPurpose.SIGN_UP: "join",
    LinkPurpose.INVITATION: "join",
    LinkPurpose.RESET: "reset",
    LinkPurpose.EMAIL_CHANGE: "confirm-email",
}


def make_link(
    purpose: LinkPurpose,
    email: str,
    now: datetime,
    *,
    language: str,
    zone: str = "UTC",
    account_id: str | None = None,
    account_name: str | None = None,
    role: Role | None = None,
    user_id: str | None = None,
) -> MailedLink:
    """Return a link that lives as long as its purpose allows."""
    return MailedLink(
        id=new_id("lnk", now),
        purpose=purpose,
        email=email,
        account_id=account_id,
        account_name=account_name,
        user_id=user_id,
        language=language,
        zone=zone,
        created_at=now,
        expires_at=now + LIFETIME_OF[purpose],
        role=role,
    )


class LinkMail:
    """Stores links and mails in the transaction of a use case. No address comes from a request's Host header."""

    def __init__(self, public_url: str, postman: Postman) -> None:
        self._public_url = public_url.rstrip("/")
        self._postman = postman
        self._throttle = MailThrottle()

    def count(self, email: str, client: str | None) -> None:
        """Count a mail that somebody asks for, before anything is looked up. Raises TooManyAttempts."""
        self._throttle.count(email, client)

    def wake_postman(self) -> None:
        """Let what was stored go out, once it is committed."""
        self._postman.wake()

    def send(self, session: Session, link: MailedLink) -> None:
        """Store the link and let its mail go out."""
        token = new_token()
        link_store.insert_link(session, link, digest=digest_of(token))
        url = f"{self._public_url}/{_PATH_OF[link.purpose]}/{token}"
        account = link.account_name if link.purpose is LinkPurpose.INVITATION else None
        self._enqueue(session, MailKind(link.purpose), link, url, account=account or "")

    def keep_without_mail(self, session: Session, link: MailedLink) -> None:
        """Store a link whose token nobody has: what an unknown address costs, so that the time does not tell it."""
        link_store.insert_link(session, link, digest=digest_of(new_token()))

    def say_known(self, session: Session, link: MailedLink) -> None:
        """Tell an address that it is known; costs what `send` does."""
        self.keep_without_mail(session, link)
        self._enqueue(session, MailKind.ADDRESS_KNOWN, link, f"{self._public_url}/login")

    def say_changed(self, session: Session, link: MailedLink, old_email: str) -> None:
        """Tell the old address of a user that another one has taken its place."""
        url = f"{self._public_url}/login"
        words = write_mail(MailKind.EMAIL_CHANGED, link.language, url=url, email=link.email)
        now = link.used_at or link.created_at
        enqueue(session, Mail(new_id("mail"), old_email, words.subject, words.text, words.html, now))

    def _enqueue(self, session: Session, kind: MailKind, link: MailedLink, url: str, *, account: str = "") -> None:
        words = write_mail(kind, link.language, url=url, account=account)
        mail = Mail(new_id("mail"), link.email, words.subject, words.text, words.html, link.created_at)
        enqueue(session, mail)
