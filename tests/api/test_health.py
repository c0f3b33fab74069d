"""/livez, /readyz and /metrics: for orchestrators and Prometheus, and nothing about customers in them."""

from tests.api.installation import Installation, json_of
from tests.api.problems import Expected, assert_problem


async def test_a_live_server_says_so(faremeter: Installation) -> None:
    assert json_of(await faremeter.http.get("/livez")) == {"live": True}


async def test_a_ready_server_counts_its_versions(faremeter: Installation) -> None:
    ready = json_of(await faremeter.http.get("/readyz"))
    assert ready == {"ready": True, "versions_ready": 3, "versions": 4}


async def test_responses_are_counted_by_whole_route_and_status(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    for path in ("/v1/models/linear", "/v1/models/nope", "/v1/nowhere"):
        await faremeter.http.get(path, headers=tenant.headers)
    text = (await faremeter.http.get("/metrics")).text
    assert 'faremeter_http_responses_total{route="/v1/models/{model}",status="200"}' in text
    assert 'faremeter_http_responses_total{route="/v1/models/{model}",status="404"}' in text
    assert 'faremeter_http_responses_total{route="unmatched",status="404"}' in text
    assert "nope" not in text
    assert tenant.account_id not in text


async def test_a_server_that_drains_says_so_and_serves_on_without_keeping_connections(faremeter: Installation) -> None:
    tenant, drain = faremeter.tenant(), faremeter.services.drain
    drain.begun = True
    try:
        not_ready = await faremeter.http.get("/readyz")
        answer = await faremeter.predict(tenant)
    finally:
        drain.begun = False
    assert_problem(not_ready, Expected(503, "draining"))
    assert (answer.status_code, answer.headers["connection"]) == (200, "close")
    assert "connection" not in (await faremeter.http.get("/readyz")).headers
