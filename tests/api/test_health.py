"""/livez, /readyz and /metrics: for orchestrators and Prometheus, and nothing about customers in them."""

from tests.api.installation import Installation, json_of


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
