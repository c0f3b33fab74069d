"""Every check by its name, with what it claims."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.database import Session
from app.self_audit import claim_checks, gate_checks, invoice_checks, ledger_checks, usage_checks
from app.self_audit.report import Tally


@dataclass(frozen=True, slots=True)
class Check:
    """`run` reads one state of the database and takes down what it compares."""

    name: str
    claim: str
    run: Callable[[Session, Tally, datetime], None]


HOLDERS = "processes"
CHECKS = (
    Check("rollup", "the rollup is the sum of its events", usage_checks.rollup_is_events),
    Check("failures", "a call that failed has nothing billable", usage_checks.failures_are_free),
    Check("amounts", "a call's amount is the rating of what it used", usage_checks.amounts_are_rated),
    Check("payers", "usage belongs to accounts and plan versions that exist", usage_checks.usage_has_payers),
    Check("claims", "each answer under an idempotency key is kept, and was booked", claim_checks.claims_have_answers),
    Check("gates", "an account with a budget or a prepaid plan has a gate", gate_checks.gates_stand),
    Check("positions", "what gates have settled is the usage of the period", gate_checks.positions_are_usage),
    Check("held", "what gates hold is what running calls hold", gate_checks.positions_are_holds),
    Check("budgets", "what budgets have counted is the usage of their windows", gate_checks.counters_are_usage),
    Check("budgets-held", "what budgets hold is what running calls hold of them", gate_checks.counters_are_holds),
    Check(HOLDERS, "what is held belongs to a living process", gate_checks.holds_have_processes),
    Check("journal", "each journal entry sums to zero", ledger_checks.entries_balance),
    Check("credit", "what is left of a grant is the sum of its postings", ledger_checks.grants_are_postings),
    Check("revenue", "what calls drew from credit is the rating of prepaid usage", ledger_checks.revenue_is_rated),
    Check("invoices", "an issued invoice is the rating of its period's usage", invoice_checks.invoices_are_rated),
    Check("numbers", "the numbers of invoices have no gap", invoice_checks.numbers_have_no_gap),
)
