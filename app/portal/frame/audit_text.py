"""Entries of an account's audit log in words."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from babel.support import NullTranslations

from app.accounts.account import User
from app.audit_log.actor import ActorKind
from app.audit_log.entry import AuditEntry
from app.members.role import Role
from app.portal.frame.translations import mark as _

_SENTENCES = {
    "account.created": _("Opened the account %(name)s"),
    "account.renamed": _("Renamed the account from %(before)s to %(after)s"),
    "key.created": _("Created the key %(name)s"),
    "key.revoked": _("Revoked the key %(name)s"),
    "key.rotated": _("Replaced the key %(name)s by a new one"),
    "limits.set": _(
        "Set the limits of %(target)s: %(requests_per_minute)s requests and %(units_per_minute)s units a minute,"
        " %(concurrency_max)s calls at once"
    ),
    "member.invited": _("Invited %(invitee)s as %(role)s"),
    "member.invitation_cancelled": _("Took back the invitation of %(invitee)s"),
    "member.joined": _("Let %(person)s in as %(role)s"),
    "member.role_changed": _("Changed the role of %(person)s from %(before)s to %(after)s"),
    "member.removed": _("Removed %(person)s, who was %(role)s"),
    "budget.set": _("Set the budget %(budget)s to %(limit)s"),
    "budget.removed": _("Removed the budget %(budget)s"),
    "plan.assigned": _("Put the account on the plan %(plan)s"),
    "credit.granted": _("Granted credit of %(amount)s %(currency)s"),
    "credit.refunded": _("Paid back credit of %(amount)s %(currency)s"),
    "credit.expired": _("Wrote off expired credit of %(amount)s %(currency)s"),
    "invoice.issued": _("Issued the invoice %(number)s"),
    "invoices.run": _("Ran the invoices of %(target)s"),
    "plan.published": _("Published version %(version)s of the plan %(plan)s"),
    "user.created": _("Made the user %(person)s"),
    "user.signed_in": _("Signed in"),
    "user.signed_out": _("Signed out"),
    "password.set": _("Set the password of %(person)s on the command line"),
    "password.changed": _("Changed the own password"),
    "password.reset": _("Chose a new password behind a mailed link"),
    "email.change_requested": _("Asked for another own address"),
    "email.changed": _("Changed the own address"),
    "identity.bound": _("Bound the own sign-in at %(issuer)s"),
    "identity.unbound": _("Ended the own sign-in at %(issuer)s"),
    "mail.read": _("Opened the mail %(target)s in the outbox"),
    "session.revoked": _("Ended one of the own sessions"),
    "session.others_revoked": _("Ended all other own sessions"),
}
_JOINED_ITSELF = _("Joined as %(role)s")
_SOMEBODY = _("somebody")
_UNKNOWN = "-"  # an entry of an older release may lack a detail that its sentence names today
_OTHER = _("%(action)s: %(target)s")
_INSTALLATION = _("The installation itself")
_OPERATOR = _("An operator of the installation")
_KEY = _("The key %(name)s")
_ROLES = {
    Role.OWNER: _("owner"),
    Role.DEVELOPER: _("developer"),
    Role.BILLING: _("billing"),
    Role.VIEWER: _("viewer"),
}
_WITH_ROLES = "member."
_FACTS = ("mode", "scopes", "models")


@dataclass(frozen=True, slots=True)
class AuditWords:
    """Tells entries to the members of an account.

    `people` are users by id, `members` the ids of those in the account, `keys` the names of its keys by id, `invitees`
    the addresses of invitations by id. The log itself holds ids: who is forgotten elsewhere is forgotten here. An
    operator who is no member stays without a name: that is not the customers' business.
    """

    catalogue: NullTranslations
    people: Mapping[str, User]
    members: frozenset[str]
    keys: Mapping[str, str]
    invitees: Mapping[str, str]

    def actor(self, entry: AuditEntry) -> str:
        """Return who acted."""
        actor = entry.actor
        if actor.kind is ActorKind.INSTALLATION:
            return self._say(_INSTALLATION)
        if actor.kind is ActorKind.KEY:
            return self._say(_KEY) % {"name": self.keys.get(actor.id, actor.id)}
        user = self.people.get(actor.id)
        if user is not None and user.operator and user.id not in self.members:
            return self._say(_OPERATOR)
        return self._person(actor.id)

    def sentence(self, entry: AuditEntry) -> str:
        """Return what was done."""
        text = _SENTENCES.get(entry.action, _OTHER)
        if entry.action == "member.joined" and entry.actor.id == entry.target:
            text = _JOINED_ITSELF
        values = {name: self._value(entry.action, value) for name, value in entry.details.items()}
        known = {
            "action": entry.action,
            "target": entry.target,
            "person": self._person(entry.target),
            "invitee": self.invitees.get(entry.target) or self._say(_SOMEBODY),
        }
        return self._say(text) % defaultdict(lambda: _UNKNOWN, known | values)

    def facts(self, entry: AuditEntry) -> list[str]:
        """Return what a sentence leaves out, in the words of the API."""
        return [entry.details[name] for name in _FACTS if name in entry.details]

    def _person(self, user_id: str) -> str:
        return self.people[user_id].email if user_id in self.people else user_id

    def _value(self, action: str, value: str) -> str:
        is_role = action.startswith(_WITH_ROLES) and value in set(Role)
        return self._say(_ROLES[Role(value)]) if is_role else value

    def _say(self, text: str) -> str:
        return str(self.catalogue.gettext(text))
