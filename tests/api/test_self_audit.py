"""/v1/admin/audit: for operators alone, the same report as on the command line."""

from tests.api.installation import ROW, Installation, json_of


async def test_the_books_of_an_installation_that_serves_agree(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    assert (await faremeter.predict(tenant, [ROW] * 3)).status_code == 200
    report = json_of(await faremeter.http.get("/v1/admin/audit", headers=faremeter.admin().headers))
    assert [each for each in report["checks"] if each["differences"]] == []
    assert report["clean"] is True
    assert {each["check"] for each in report["checks"]} >= {"rollup", "amounts", "positions", "journal", "invoices"}
    assert next(each for each in report["checks"] if each["check"] == "rollup")["compared"] > 0
