"""Everything that concerns people, on one database, with a mailbox in memory in place of a mail server."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage

from app.accounts.account import User
from app.accounts.service import Accounts
from app.audit_log.actor import Actor, ActorKind
from app.audit_log.entry import AuditEntry
from app.audit_log.service import AuditLog
from app.clock import FrozenClock
from app.database import Database
from app.members.email_change import EmailChange
from app.members.identities import Identities
from app.members.identity_binding import IdentityBinding
from app.members.link_mail import LinkMail
from app.members.member import Joined
from app.members.membership import Members
from app.members.passwords import Passwords
from app.members.role import Role
from app.members.sessions import Sessions
from app.members.sign_in import SignIn
from app.members.sign_up import Policy, SignUp
from app.outbox.postman import Postman
from app.pricing.service import Plans

PASSWORD = "correct horse battery"
OTHER_PASSWORD = "another long password"
PUBLIC_URL = "https://meter.example"
CLIENT = "192.0.2.7"
PLAN = """
key = "payg"
currency = "EUR"
billing = "postpaid"
base_fee = "0"
[[price]]
model = "*"
meter = "requests"
scheme = "per_unit"
unit_price = "0"
"""


@dataclass
class MailBox:
    """A way out that keeps what it is given."""

    messages: list[EmailMessage] = field(default_factory=list)

    def deliver(self, message: EmailMessage, *, name: str) -> None:
        self.messages.append(message)


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


class People:
    """The use cases of people as `bootstrap` puts them together."""

    def __init__(
        self, database: Database, clock: FrozenClock, *, policy: Policy = "open", default_plan: str | None = "payg"
    ) -> None:
        self.database, self.clock = database, clock
        self.accounts = Accounts(database, clock)
        self.mailbox = MailBox()
        self.postman = Postman(database, clock, self.mailbox, sender="Meter <meter@meter.example>")
        self.link_mail = LinkMail(PUBLIC_URL, self.postman)
        self.sign_in = SignIn(database)
        self.sign_up = SignUp(database, clock, self.sign_in, self.link_mail, policy=policy, default_plan=default_plan)
        self.sessions = Sessions(database, clock, ttl=timedelta(days=14))
        self.members = Members(database, clock, self.link_mail, invitations_open=policy != "closed")
        self.passwords = Passwords(database, clock, self.sign_in, self.link_mail)
        self.email_change = EmailChange(database, clock, self.sign_in, self.link_mail)
        self.identities = Identities(database, clock, self.link_mail, plan_of_newcomers=default_plan)
        self.identity_binding = IdentityBinding(database, clock, self.sign_in, self.link_mail)
        self.audit_log = AuditLog(database)
        if default_plan is not None:
            Plans(database, clock).publish(PLAN)

    def mails(self) -> list[EmailMessage]:
        """Deliver what waits; return everything that was ever mailed."""
        self.postman.deliver_waiting()
        return self.mailbox.messages

    def mails_to(self, email: str) -> list[EmailMessage]:
        return [message for message in self.mails() if message["To"] == email]

    def token(self, email: str) -> str:
        """Return the token of the link that was last mailed to the address."""
        links = re.findall(rf"{PUBLIC_URL}/(?:join|reset|confirm-email)/(\S+)", text_of(self.mails_to(email)[-1]))
        assert len(links) == 1
        return str(links[0])

    def request(self, email: str = "ada@example.com", account: str = "Ada Inc") -> None:
        self.sign_up.request(email, account, zone="Asia/Shanghai", language="en", address=CLIENT)

    def join(self, email: str = "ada@example.com", account: str = "Ada Inc") -> Joined:
        """Let somebody sign up, all the way."""
        self.request(email, account)
        joined = self.sign_up.join(self.token(email), PASSWORD, address=CLIENT)
        self.link_mail._throttle.forget()
        return joined

    def invite(self, account_id: str, email: str, role: Role, by: User) -> str:
        """Invite somebody; return the token."""
        self.members.invite(account_id, email, role, by=actor(by), language="en")
        return self.token(email)

    def member(self, account_id: str, email: str, role: Role, by: User) -> User:
        """Let somebody join an account, all the way."""
        token = self.invite(account_id, email, role, by)
        return self.sign_up.join(token, PASSWORD, address=CLIENT).user

    def entries(self) -> list[AuditEntry]:
        """Return the audit log in the order in which it was written."""
        return self.audit_log.list(limit=1000)[::-1]

    def actions(self) -> list[str]:
        return [entry.action for entry in self.entries()]


def actor(user: User) -> Actor:
    return Actor(ActorKind.USER, user.id, CLIENT)
