"""What mails say, in every language of the portal. A mail is paragraphs and, mostly, one link."""

# ruff: noqa: RUF001 - Chinese has punctuation of its own

from dataclasses import dataclass
from enum import StrEnum
from html import escape

DEFAULT_LANGUAGE = "en"


class MailKind(StrEnum):
    """The occasions on which people get mail."""

    SIGN_UP = "sign_up"
    ADDRESS_KNOWN = "address_known"
    INVITATION = "invitation"
    RESET = "reset"
    EMAIL_CHANGE = "email_change"
    EMAIL_CHANGED = "email_changed"
    IDENTITY_BOUND = "identity_bound"


@dataclass(frozen=True, slots=True)
class Words:
    """One mail in one language; `{account}`, `{email}` and `{issuer}` may stand in the texts."""

    subject: str
    paragraphs: tuple[str, ...]
    action: str
    closing: str


@dataclass(frozen=True, slots=True)
class MailText:
    """A mail that is written out."""

    subject: str
    text: str
    html: str


# The name of a new account is not repeated to the address that somebody typed: strangers would write to strangers.
WORDS: dict[MailKind, dict[str, Words]] = {
    MailKind.SIGN_UP: {
        "en": Words(
            "Confirm your e-mail address",
            ("Somebody, hopefully you, is signing up for Faremeter with this address.",),
            "Confirm and choose a password",
            "The link works once and for 24 hours. If this was not you, there is nothing to do.",
        ),
        "zh": Words(
            "请确认您的电子邮箱",
            ("有人（希望是您本人）正在用此邮箱注册 Faremeter。",),
            "确认邮箱并设置密码",
            "链接只能使用一次，24 小时内有效。如果不是您本人操作，请忽略此邮件。",
        ),
    },
    MailKind.ADDRESS_KNOWN: {
        "en": Words(
            "You are registered already",
            (
                "Somebody, hopefully you, wanted to use this address at Faremeter.",
                "It belongs to a user already: sign in, or choose a new password if you have forgotten yours.",
            ),
            "Sign in or reset the password",
            "If this was not you, there is nothing to do: nothing has changed.",
        ),
        "zh": Words(
            "您已经注册过了",
            (
                "有人（希望是您本人）想在 Faremeter 使用此邮箱。",
                "此邮箱已有用户：请直接登录；如果忘记了密码，可以重新设置。",
            ),
            "登录或重设密码",
            "如果不是您本人操作，请忽略此邮件：没有任何更改。",
        ),
    },
    MailKind.INVITATION: {
        "en": Words(
            "You are invited to {account}",
            ("You are invited to join the account “{account}” at Faremeter.",),
            "Accept the invitation",
            "The link works once and for 7 days. If you do not know this account, there is nothing to do.",
        ),
        "zh": Words(
            "邀请您加入 {account}",
            ("邀请您加入 Faremeter 上的账户“{account}”。",),
            "接受邀请",
            "链接只能使用一次，7 天内有效。如果您不认识此账户，请忽略此邮件。",
        ),
    },
    MailKind.RESET: {
        "en": Words(
            "Choose a new password",
            ("Somebody, hopefully you, asked for a new password for this address at Faremeter.",),
            "Choose a new password",
            "The link works once and for one hour. If this was not you, there is nothing to do: your password stays.",
        ),
        "zh": Words(
            "设置新密码",
            ("有人（希望是您本人）请求为 Faremeter 上的此邮箱设置新密码。",),
            "设置新密码",
            "链接只能使用一次，1 小时内有效。如果不是您本人操作，请忽略此邮件：密码不会改变。",
        ),
    },
    MailKind.EMAIL_CHANGE: {
        "en": Words(
            "Confirm your new e-mail address",
            ("You want to sign in to Faremeter with this address from now on.",),
            "Confirm this address",
            "The link works once and for 24 hours. If this was not you, there is nothing to do.",
        ),
        "zh": Words(
            "请确认您的新电子邮箱",
            ("您希望今后用此邮箱登录 Faremeter。",),
            "确认此邮箱",
            "链接只能使用一次，24 小时内有效。如果不是您本人操作，请忽略此邮件。",
        ),
    },
    MailKind.EMAIL_CHANGED: {
        "en": Words(
            "Your e-mail address was changed",
            ("You sign in to Faremeter with {email} from now on; this address is no longer in use.",),
            "Sign in",
            "If this was not you, write to the people who run this installation at once.",
        ),
        "zh": Words(
            "您的电子邮箱已更改",
            ("今后请用 {email} 登录 Faremeter；此邮箱不再使用。",),
            "登录",
            "如果不是您本人操作，请立即联系本系统的运营者。",
        ),
    },
    MailKind.IDENTITY_BOUND: {
        "en": Words(
            "Another way to sign in",
            ("You may sign in to Faremeter at {issuer} from now on, besides with your password if you have one.",),
            "Look at your profile",
            "If this was not you, end that sign-in in your profile, and choose a new password, at once.",
        ),
        "zh": Words(
            "新增了一种登录方式",
            ("今后您也可以通过 {issuer} 登录 Faremeter；如果您设置了密码，密码仍然有效。",),
            "查看个人资料",
            "如果不是您本人操作，请立即在个人资料中解除此登录方式，并设置新密码。",
        ),
    },
}
LANGUAGES = tuple(WORDS[MailKind.SIGN_UP])


def write_mail(kind: MailKind, language: str, *, url: str, **facts: str) -> MailText:
    """Write a mail in that language, or in English where it is not known, with the facts that its texts name."""
    language = language if language in LANGUAGES else DEFAULT_LANGUAGE
    words = WORDS[kind][language]
    paragraphs = [line.format(**facts) for line in words.paragraphs]
    text = "\n\n".join([*paragraphs, f"{words.action}:\n{url}", words.closing])
    html = "\n".join(
        [
            f'<!doctype html>\n<html lang="{language}"><body>',
            *(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs),
            f'<p><a href="{escape(url)}">{escape(words.action)}</a></p>',
            f"<p>{escape(words.closing)}</p>",
            "</body></html>",
        ]
    )
    return MailText(words.subject.format(**facts), text + "\n", html + "\n")
