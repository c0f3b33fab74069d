"""Who may invite to an account, asked when the invitation is sent and again when it is accepted."""

from app.accounts import user_store
from app.audit_log.actor import Actor, ActorKind
from app.database import Session
from app.members import member_store
from app.members.mailed_link import MailedLink
from app.members.role import Permission, RoleMissing, permissions_of


def require_inviter(session: Session, account_id: str, by: Actor) -> None:
    """Raise RoleMissing for a user who does not invite to the account at this moment."""
    user_id = inviting_user(by)
    if user_id is not None and not _may_invite(session, account_id, user_id):
        raise RoleMissing("only owners invite", hint="ask an owner of the account")


def inviter_stands(session: Session, link: MailedLink) -> bool:
    """Tell whether the user who sent an invitation may still send it: who was put out lets nobody in."""
    if link.account_id is None or link.invited_by is None:
        return True
    return _may_invite(session, link.account_id, link.invited_by)


def inviting_user(by: Actor) -> str | None:
    """Return the user on whose word an invitation stands; the installation and operators' keys need nobody's."""
    return by.id if by.kind is ActorKind.USER else None


def _may_invite(session: Session, account_id: str, user_id: str) -> bool:
    role = member_store.role_of(session, account_id, user_id)
    if role is not None and Permission.MEMBERS_WRITE in permissions_of(role):
        return True
    user = user_store.find_user_by_id(session, user_id)
    return user is not None and user.operator
