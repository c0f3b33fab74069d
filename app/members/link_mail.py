"""Links on their way: a token that exists only in the mail, under the address that the operator set."""

from datetime import datetime

from app.accounts import user_store
from app.database import Session
from app.ids import new_id
from app.members import link_store
from app.members.mail_text import MailKind, write_mail
from app.members.mailed_link import LIFETIME_OF, LinkPurpose, MailedLink
from app.members.role import Role
from app.members.throttle import MailThrottle, too_many_mails
from app.members.token import digest_of, new_token
from app.outbox.mail import Mail
from app.outbox.postman import Postman
from app.outbox.store import enqueue, keep_unsent

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
    invited_by: str | None = None,
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
        invited_by=invited_by,
    )


class LinkMail:
    """Stores links and mails in the transaction of a use case. No address comes from a request's Host header."""

    def __init__(self, public_url: str, postman: Postman) -> None:
        self._public_url = public_url.rstrip("/")
        self._postman = postman
        self._throttle = MailThrottle()

    def count(self, purpose: LinkPurpose, email: str, asked_by: str | None) -> None:
        """Count a mail that somebody asks for, before anything is looked up. Raises TooManyAttempts."""
        if not self.admits(purpose, email, asked_by):
            raise too_many_mails()

    def admits(self, purpose: LinkPurpose, email: str, asked_by: str | None) -> bool:
        """Count it likewise; return False where the address has had enough of such mails.

        Raises TooManyAttempts where who asks has asked for too many.
        """
        if asked_by is not None:
            self._throttle.count_asker(asked_by)
        return self._throttle.admits(purpose, email)

    def wake_postman(self) -> None:
        """Let what was stored go out, once it is committed."""
        self._postman.wake()

    def send(self, session: Session, link: MailedLink) -> None:
        """Store the link and let its mail go out."""
        enqueue(session, self._mail_with(session, link))

    def keep_unsent(self, session: Session, link: MailedLink) -> None:
        """Store a link whose token nobody has: costs what `send` does, so that the time does not tell an address."""
        keep_unsent(session, self._mail_with(session, link), "nobody here has this address")

    def send_unless_known(self, session: Session, link: MailedLink) -> None:
        """Send the link, or tell an address that has a user that it is known: either costs the same."""
        if user_store.find_user(session, link.email) is None:
            self.send(session, link)
            return
        link_store.insert_link(session, link, digest=digest_of(new_token()))
        enqueue(session, _mail(MailKind.ADDRESS_KNOWN, link, f"{self._public_url}/login"))

    def say_changed(self, session: Session, link: MailedLink, old_email: str) -> None:
        """Tell the old address of a user that another one has taken its place."""
        url = f"{self._public_url}/login"
        words = write_mail(MailKind.EMAIL_CHANGED, link.language, url=url, email=link.email)
        now = link.used_at or link.created_at
        enqueue(session, Mail(new_id("mail"), old_email, words.subject, words.text, words.html, now))

    def say_bound(self, session: Session, email: str, issuer: str, *, language: str, now: datetime) -> None:
        """Tell a user that a sign-in at a provider leads to it from now on."""
        words = write_mail(MailKind.IDENTITY_BOUND, language, url=f"{self._public_url}/app/profile", issuer=issuer)
        enqueue(session, Mail(new_id("mail"), email, words.subject, words.text, words.html, now))

    def _mail_with(self, session: Session, link: MailedLink) -> Mail:
        """Store the link and return its mail, the only place where its token is."""
        token = new_token()
        link_store.insert_link(session, link, digest=digest_of(token))
        url = f"{self._public_url}/{_PATH_OF[link.purpose]}/{token}"
        account = link.account_name if link.purpose is LinkPurpose.INVITATION else None
        return _mail(MailKind(link.purpose), link, url, account=account or "")


def _mail(kind: MailKind, link: MailedLink, url: str, *, account: str = "") -> Mail:
    words = write_mail(kind, link.language, url=url, account=account)
    return Mail(new_id("mail"), link.email, words.subject, words.text, words.html, link.created_at)
