"""What an account has, made when a path, a query or a form first asks for it by name."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from app.accounts.account import Scope
from app.accounts.budget import Measure, Window
from app.audit_log.actor import INSTALLATION
from app.members.link_mail import make_link
from app.members.link_store import insert_link
from app.members.mailed_link import LinkPurpose
from app.members.role import Role
from app.members.token import digest_of, new_token
from app.period import Month
from tests.api.installation import ROW, Installation
from tests.portal import visitors
from tests.portal.browser import Browser
from tests.portal.mailbox import mail_in_folder

_NAME = re.compile(r"\{([a-z_]+)\}")
# What only its account, or only its person, may touch.
OWNED = frozenset(
    {
        "account_id",
        "key_id",
        "invoice_id",
        "user_id",
        "invitation_id",
        "session_id",
        "budget_id",
        "key_budget_id",
        "grant_id",
    }
)
_PURPOSES = {"/reset": LinkPurpose.RESET, "/confirm-email": LinkPurpose.EMAIL_CHANGE, "/join": LinkPurpose.SIGN_UP}


def names_in(*texts: Any) -> set[str]:
    """Return the names of the belongings that stand in the texts."""
    return {name for text in texts for name in _NAME.findall(str(text))}


class Belongings:
    """The things of one account and of one person in it."""

    def __init__(self, portal: Installation, account_id: str, browser: Browser | None = None) -> None:
        self._portal = portal
        self._browser = browser
        self.known = {"account_id": account_id, "model": "linear", "version": "1", "plan_key": "payg"}

    @property
    def account_id(self) -> str:
        return self.known["account_id"]

    async def fill(self, text: str) -> str:
        """Return the text with every name replaced by the thing itself."""
        for name in sorted(names_in(text), key=lambda name: (name == "key_budget_id", name)):  # a key before its budget
            text = text.replace(f"{{{name}}}", await self._named(name, text))
        return text

    async def fill_form(self, form: dict[str, Any]) -> dict[str, Any]:
        return {name: await self._filled(value) for name, value in form.items()}

    async def _filled(self, value: Any) -> Any:
        if isinstance(value, list):
            return [await self.fill(each) for each in value]
        return await self.fill(value) if isinstance(value, str) else value

    async def _named(self, name: str, text: str) -> str:
        if name == "token":
            purpose = next(purpose for prefix, purpose in _PURPOSES.items() if text.startswith(prefix))
            whose = self._browser if purpose is LinkPurpose.EMAIL_CHANGE else None
            return self.link_token(purpose, user_id=whose.user.id if isinstance(whose, visitors.Person) else None)
        if name == "invoice_id":
            self.known.setdefault(name, await self._invoice_id())
        elif name not in self.known:
            makers: dict[str, Callable[[], str]] = {
                "key_id": lambda: self._portal.another_key(self.account_id, scopes=frozenset({Scope.PREDICT})).key_id,
                "user_id": lambda: visitors.member(self._portal, Role.OWNER, self.account_id).user.id,
                "invitation_id": self._invitation_id,
                "session_id": self._session_id,
                "budget_id": lambda: self._budget_id(None),
                "key_budget_id": lambda: self._budget_id(self.known["key_id"]),
                "grant_id": lambda: self._portal.services.credits.grant(self.account_id, amount_nanos=10**9).id,
                "mail_name": lambda: mail_in_folder(self._portal),
                "idempotency_key": lambda: str(uuid4()),
                "password": lambda: visitors.PASSWORD,
                "email": lambda: f"new-{uuid4().hex}@example.test",
            }
            self.known[name] = makers[name]()
        return self.known[name]

    def link_token(self, purpose: LinkPurpose, *, email: str | None = None, user_id: str | None = None) -> str:
        """Store a link for a fresh address and a fresh user; return its token, as the mail would carry it."""
        services, token = self._portal.services, new_token()
        user = visitors.new_user(self._portal) if user_id is None else None
        fresh = user.email if user and purpose is LinkPurpose.RESET else f"new-{uuid4().hex}@example.test"
        opens_account = purpose is LinkPurpose.SIGN_UP
        link = make_link(
            purpose,
            email or fresh,
            self._portal.clock.now(),
            language="en",
            account_name="Joined" if opens_account else None,
            user_id=None if opens_account else user_id or (user.id if user else None),
        )
        with services.database.transaction() as session:
            insert_link(session, link, digest=digest_of(token))
        return token

    def _invitation_id(self) -> str:
        services = self._portal.services
        email = f"invited-{uuid4().hex}@example.test"
        services.members.invite(self.account_id, email, Role.VIEWER, by=INSTALLATION, language="en")
        return services.members.invitations(self.account_id)[-1].id

    def _session_id(self) -> str:
        """Return another session of the same person."""
        assert self._browser is not None
        services = self._portal.services
        visit = services.sessions.visit(str(self._browser.http.cookies["faremeter_session"]))
        assert visit
        return services.sessions.open(visit.user, address=None, agent="another")[0].id

    def _budget_id(self, key_id: str | None) -> str:
        """Return a budget that refuses nobody anything."""
        state = self._portal.services.budgets.set(
            self.account_id,
            key_id=key_id,
            measure=Measure.UNITS,
            window=Window.DAY,
            limit_value=10**9,
            hard=False,
        )
        return state.budget.id

    async def _invoice_id(self) -> str:
        portal = self._portal
        assert (await portal.predict(portal.another_key(self.account_id), [ROW])).status_code == 200
        now = portal.clock.now()
        (outcome,) = portal.services.invoice_run.run(Month(now.year, now.month), self.account_id).outcomes
        assert outcome.invoice
        return outcome.invoice.id
