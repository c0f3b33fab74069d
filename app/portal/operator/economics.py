"""GET /operator: what each model earned in a month, what the hardware cost meanwhile, and what is left."""

from fractions import Fraction

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.economics.margin_report import MarginReport
from app.economics.percentage import format_percentage
from app.errors import Invalid
from app.period import Month
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import form_page, render
from app.portal.frame.visitor import OperatorDep, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_TEMPLATE = "pages/operator_economics.html"


@router.get("/operator")
def show(request: Request, _operator: OperatorDep, services: ServicesDep, month: str = "") -> Response:
    """Show a UTC month up to now, by default the present one."""
    try:
        report = services.margins.recent_report(Month.parse(month) if month else None)
    except Invalid as error:  # of the month that was typed, or of the hardware file
        return form_page(request, _TEMPLATE, report=None, month=month, problem=error)
    return render(
        request,
        _TEMPLATE,
        report=report,
        month=str(report.month),
        earlier=report.month.plus(-1),
        later=_later(report),
        percentage=_percentage,
        up_hours=_up_hours,
    )


def _later(report: MarginReport) -> Month | None:
    """Return the month behind one that is over."""
    later = report.month.plus(1)
    return later if (report.period.end.year, report.period.end.month) == (later.year, later.month) else None


def _percentage(share: Fraction) -> str:
    return format_percentage(round(share, 4))


def _up_hours(up_us: int) -> str:
    """Return device time in hours with two decimals, rounded for the eye."""
    hundredths = round(Fraction(up_us, 36_000_000))
    return f"{hundredths // 100}.{hundredths % 100:02d}"
