"""An audit's report as plain facts, for commands and the API."""

from app.self_audit.report import AuditReport, CheckResult


def audit_facts(report: AuditReport) -> dict[str, object]:
    """Return the report as JSON shows it; the instant is RFC 3339 in UTC."""
    return {
        "as_of": report.as_of.isoformat().replace("+00:00", "Z"),
        "clean": report.clean,
        "checks": [_check_facts(result) for result in report.results],
    }


def _check_facts(result: CheckResult) -> dict[str, object]:
    return {
        "check": result.check,
        "claim": result.claim,
        "compared": result.compared,
        "uncompared": result.uncompared,
        "differences": result.differences,
        "first": [{"subject": it.subject, "expected": it.expected, "found": it.found} for it in result.first],
        "warnings": list(result.warnings),
    }
