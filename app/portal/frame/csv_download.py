"""Files that a page offers: the browser saves them under a name."""

from starlette.responses import Response

CSV_TYPE = "text/csv; charset=utf-8"


def csv_download(text: str, file_name: str) -> Response:
    """Return a whole CSV file."""
    return Response(text, headers=saved_as(file_name), media_type=CSV_TYPE)


def saved_as(file_name: str) -> dict[str, str]:
    """Return the header that names the file; the name is ours, never what somebody wrote."""
    return {"Content-Disposition": f'attachment; filename="{file_name}"'}
