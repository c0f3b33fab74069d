"""What an error says on a page, by its code, in the visitor's language; without a text of its own, its detail."""

from babel.support import NullTranslations

from app.errors import AppError
from app.portal.frame.translations import mark as _

TEXTS = {
    "request_forged": _("This form is from another session. Load the page again and repeat what you did."),
    "method_not_allowed": _("This page does not take that. Use its own links and forms."),
    "body_too_large": _("What was sent is too large. Send less at once, or a smaller file."),
    "url_invalid": _("This address holds something that no address of ours holds."),
    "key_in_query": _("A key or token does not belong in an address, where logs keep it. If it was one, revoke it."),
    "form_invalid": _("The form is incomplete or holds something that does not belong there."),
    "sign_in_needed": _("Please sign in."),
    "no_account": _("You are a member of no account. Ask an owner to invite you."),
    "operators_only": _("This page is for operators."),
    "role_missing": _("Your role in this account does not include this. Ask an owner."),
    "not_found": _("There is no such page, or it belongs to somebody else."),
    "unauthenticated": _("The e-mail address or the password is wrong."),
    "too_many_attempts": _("Too many attempts. Wait a little and try again."),
    "plan_not_found": _("There is no plan of that key."),
    "plan_of_other_currency": _("The plan is in another currency than the account."),
    "currency_mismatch": _("The plan is in another currency. Both keep their currency for good."),
    "no_amount": _("This is no amount. Write it like 10.00, with a point and at most 9 decimals."),
    "no_number": _("This is no whole number. Write digits alone, such as 1000."),
    "invalid_cursor": _("This address is wrong or out of date. Begin at the newest entries."),
    "limit_of_no_model": _("There is no model of that name here, and no plan has ever priced one."),
    "rate_limit_invalid": _("A limit is 1 to 1,000,000,000. Leave the field empty for no limit."),
    "budget_invalid": _(
        "A budget has a limit of zero or more, and tells people at up to 10 percentages of it, each from 1 to 1000."
    ),
    "budget_unbounded": _(
        "No budget of money can be kept under this plan: it prices what nobody knows before a call runs. Set a quota."
    ),
    "budget_exceeded": _("This call would cost more than what is left of a budget. Nothing was charged."),
    "quota_exceeded": _("This call would use more than what is left of a quota. Nothing was charged."),
    "insufficient_balance": _("The balance does not cover this call. Nothing was charged."),
    "hold_lost": _("The call lost what was set aside for it, so it was not charged. Run it again."),
    "budget_not_found": _("This budget was removed already."),
    "plan_unbounded_under_budget": _(
        "Accounts on this plan have budgets of money, and by these prices nobody knows before a call runs"
        " what it costs."
    ),
    "plan_unanswerable": _("The plan prices results by something that the model's answers do not hold."),
    "price_unanswerable": _("The plan prices this model by something that its answers do not hold. Ask the operator."),
    "plan_starts_in_past": _("A plan begins now or later: past usage keeps the plan that was in effect."),
    "month_invalid": _("This is not a month. Write it like 2026-11."),
    "month_not_begun": _("This month has not begun."),
    "email_invalid": _("This is not an e-mail address."),
    "invitations_closed": _("Nobody can be invited here. The people who run this installation make the users."),
    "already_member": _("This address belongs to a member already. Change the role instead."),
    "wrong_credentials": _("The e-mail address or the password is wrong."),
    "password_wrong": _("The password is wrong."),
    "password_unfit": _("A password has 12 to 256 characters. A few unrelated words are long enough."),
    "email_taken": _("This e-mail address has a user already."),
    "name_invalid": _("A name has 1 to 100 characters on one line."),
    "link_of_somebody_else": _("Somebody else has asked for this link. Sign in as the user who asked for it."),
    "link_invalid": _("This link does not work. Links work once and for a short time: ask for a new one."),
    "sign_up_closed": _("Sign-up is not open here. Ask an owner of an account to invite you."),
    "last_owner": _("An account keeps an owner. Make somebody else an owner first."),
    "member_not_found": _("This person is not a member any more."),
    "mail_not_found": _("This mail is not here any more."),
    "mail_of_operator": _("This mail is for another operator, and its link too."),
    "invitation_not_found": _("This invitation is not open any more."),
    "session_not_found": _("This browser is signed out already."),
    "email_unverified": _("The provider does not vouch for your e-mail address. Verify it there first."),
    "identity_conflict": _("This sign-in belongs to another user, or you to another sign-in. Use your password."),
    "identity_unbound": _(
        "This address has a user here. Sign in with the password, and bind this sign-in in your profile."
    ),
    "identity_not_found": _("This sign-in is not bound to you any more."),
    "only_sign_in": _("This is your only way in. Choose a password first."),
    "password_needed": _("Give your password once more: begin again in your profile."),
    "provider_refused": _("The sign-in at the provider did not work. Try again, or use your password."),
    "provider_unavailable": _("The provider does not answer. Try again, or use your password."),
    "no_range": _("The range is empty, longer than 25 months or too far ahead. It ends behind its first day."),
    "no_instant": _("This is no date. Write it like 2026-11-24."),
    "range_cuts_quarter_hour": _("Usage is summed in quarters of an hour: let the range begin and end at one."),
    "zone_unknown": _("There is no time zone of that name."),
    "expiry_past": _("A key expires in the future: choose a later day."),
    "no_day": _("This is no date, or one too far away. Write it like 2027-01-31."),
    "not_confirmed": _("Nothing was revoked: confirm that nothing uses the key any more."),
    "model_unknown": _("There is no model of that name here."),
    "scope_beyond_role": _("A key can do no more than your role in this account. Ask an owner."),
    "credit_invalid": _(
        "An amount of credit is above zero and at most 1,000,000,000, a priority 0 to 100, a note one line."
    ),
    "credit_expiry_past": _("Credit expires in the future: choose a later day."),
    "grant_not_refundable": _("Only credit that was paid for, and has not expired, is paid back."),
    "refund_too_large": _(
        "This is more than may be paid back now. Leave the field empty for all that may; what running calls hold has to"
        " wait for them."
    ),
    "key_ended": _("The key has expired or was revoked. Create a new one instead."),
    "key_of_playground": _("This is the playground's own key. Revoke it, and the playground gets a new one."),
    "key_made_already": _(
        "This form has made its key already, and the secret was shown then. If it is lost, revoke that key among your"
        " keys, and make another one."
    ),
    "key_misplaced": _("A key does not belong here, where it would be kept. Consider it leaked, and revoke it."),
    "scopes_missing": _("Choose what the key may do: at least one thing."),
    "invoice_not_found": _("There is no such invoice."),
    "rows_unreadable": _("This is no row of numbers."),
    "decimal_comma": _(
        "A comma inside of a number: write 0.5 with a point, and a blank behind each comma between numbers."
    ),
    "input_invalid": _("The model cannot read this input."),
    "model_not_found": _("There is no model of that name."),
    "model_unavailable": _("This model does not answer now."),
    "model_failed": _("The model failed on this input."),
    "model_not_in_plan": _("Your plan does not sell this model. Ask the operator for another plan."),
    "no_plan": _("Your account has no plan yet. Ask the operator to assign one."),
    "rate_limited": _("A limit of calls or units within a minute is reached. Wait a little, or send less."),
    "concurrency_limited": _("As many calls are running as may at once. Try again in a moment."),
    "overloaded": _("Too much waits for this model now. Try again in a moment."),
    "deadline_exceeded": _("The model did not answer in time."),
    "version_not_found": _("The model has no such version."),
    "model_not_allowed": _("This key may not call this model. Use another key."),
    "payload_unsupported": _("The model takes another kind of input."),
    "answer_too_large": _("The answer is larger than what is kept of a call. Send fewer rows at once."),
    "call_too_large": _(
        "This call alone asks for more units than a limit allows in a minute. Send fewer rows at once."
    ),
    "charge_too_large": _("One call cannot cost as much as this. Send fewer rows at once."),
    "commit_queue_full": _("Too much waits for the database now. Nothing was charged; try again in a moment."),
    "commit_uncertain": _(
        "The connection to the database broke just then. Look whether it was done before you repeat it."
    ),
    "claim_lost": _(
        "Another process has taken over this call. Send the form again for its answer: it is charged once."
    ),
    "period_closed": _("The period of this call was invoiced meanwhile, so it was not charged. Run it again."),
    "invoice_too_large": _("The usage of this period is more than one invoice can carry."),
    "role_unknown": _("There is no role of that name."),
    "user_not_found": _("There is no such user."),
    "idempotency_key_in_use": _("The same call is still running. Send the form again in a moment for its answer."),
    "idempotency_key_reused": _("This form has been sent before with another input. Send it once more."),
    "outcome_unknown": _("The connection to the database broke just then. Send the form again: it is charged once."),
    "database_unavailable": _("The database does not answer. Nothing was lost; try again in a moment."),
    "internal": _("Something went wrong on our side. Nothing was charged."),
}


def error_text(error: AppError, catalogue: NullTranslations) -> str:
    """Return the text for people."""
    text = TEXTS.get(error.code)
    return str(catalogue.gettext(text)) if text else error.detail
