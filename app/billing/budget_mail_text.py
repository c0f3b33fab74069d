"""What people are told when a budget reaches a threshold: in one mail, in every language of the portal.

Nobody knows in which language a member reads: an alert is not an answer to a page that somebody had open.
"""

# ruff: noqa: RUF001 - Chinese has punctuation of its own

from dataclasses import dataclass
from html import escape

from app.accounts.budget import Budget, Measure, Window
from app.charging.budget_alert import BudgetAlert
from app.members.mail_text import MailText
from app.money import format_money


@dataclass(frozen=True, slots=True)
class _Words:
    subject: str
    of_account: str
    of_key: str
    limit: str
    hard: str
    soft: str
    action: str
    units: str
    windows: dict[Window, str]


_WORDS = {
    "en": _Words(
        "{percent}% of a budget is used",
        "The account “{account}” has used {percent}% of a budget, or more.",
        "The key “{key}” of the account “{account}” has used {percent}% of its budget, or more.",
        "The limit is {limit} {unit} {window}; {used} {unit} are used.",
        "Calls beyond the limit are refused.",
        "Calls beyond the limit are not refused: this budget only tells.",
        "See the account",
        "units",
        {Window.DAY: "a day", Window.MONTH: "a billing period", Window.TOTAL: "in all"},
    ),
    "zh": _Words(
        "预算已使用 {percent}%",
        "账户“{account}”的一项预算已使用至少 {percent}%。",
        "账户“{account}”的密钥“{key}”的预算已使用至少 {percent}%。",
        "限额：{window} {limit} {unit}；已使用 {used} {unit}。",
        "超出限额的调用会被拒绝。",
        "超出限额的调用不会被拒绝：此预算仅作提醒。",
        "查看账户",
        "单位",
        {Window.DAY: "每天", Window.MONTH: "每个计费周期", Window.TOTAL: "总计"},
    ),
}


def write_budget_mail(
    alert: BudgetAlert, budget: Budget, *, account_name: str, key_name: str | None, currency: str, url: str
) -> MailText:
    """Write the mail of an alert: the text and then the same in the next language; names are text, never markup."""
    is_money = alert.measure is Measure.MONEY
    limit, used = (format_money(n, currency) if is_money else str(n) for n in (alert.limit_value, alert.used))
    subjects, texts, htmls = [], [], []
    for language, words in _WORDS.items():
        facts = {
            "percent": str(alert.percent),
            "account": account_name,
            "key": key_name or "",
            "limit": limit,
            "used": used,
            "unit": currency if is_money else words.units,
            "window": words.windows[alert.window],
        }
        whose = words.of_account if key_name is None else words.of_key
        lines = [line.format(**facts) for line in (whose, words.limit, words.hard if budget.hard else words.soft)]
        subjects.append(words.subject.format(**facts))
        texts.append("\n\n".join([*lines, f"{words.action}:\n{url}"]))
        link = f'<p><a href="{escape(url)}">{escape(words.action)}</a></p>'
        paragraphs = "\n".join([*(f"<p>{escape(line)}</p>" for line in lines), link])
        htmls.append(f'<div lang="{language}">\n{paragraphs}\n</div>')
    html = "\n<hr>\n".join(htmls)
    return MailText(
        " · ".join(subjects),
        "\n\n--\n\n".join(texts) + "\n",
        f"<!doctype html>\n<html><body>\n{html}\n</body></html>\n",
    )
