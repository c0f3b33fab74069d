"""GET /v1/models: what is served, in which versions, at the prices of the caller's plan."""

from tests.api.installation import Installation, json_of
from tests.api.problems import Expected, assert_problem


async def test_the_catalogue_shows_every_model_ready_or_not(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    listed = json_of(await faremeter.http.get("/v1/models", headers=tenant.headers))
    assert [(model["name"], model["status"]) for model in listed["data"]] == [
        ("linear", "ready"),
        ("moody", "ready"),
        ("vgg16", "unavailable"),
        ("vgg16-digits", "ready"),
    ]
    assert listed["next_cursor"] is None
    for model in listed["data"]:
        alone = json_of(await faremeter.http.get(f"/v1/models/{model['name']}", headers=tenant.headers))
        assert alone == model


async def test_a_model_tells_its_input_its_output_and_the_callers_price(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    linear = json_of(await faremeter.http.get("/v1/models/linear", headers=tenant.headers))
    assert linear["input"]["features"] == len(linear["input"]["names"]) == 10
    fields = [{"name": "progression", "type": "number"}]
    assert linear["output"] == {"kind": "number", "name": "progression", "fields": fields}
    assert (linear["unit"], linear["default_version"], linear["currency"]) == ("row", 1, "USD")
    price = {"model": "linear", "meter": "units", "scheme": "per_unit", "unit_price": "0.00001"}
    assert linear["prices"] == [price]
    digits = json_of(await faremeter.http.get("/v1/models/vgg16-digits", headers=tenant.headers))
    assert digits["input"]["formats"] == ["image/jpeg", "image/png", "image/webp"]
    fields = [{"name": "label", "type": "string"}, {"name": "probability", "type": "number"}]
    assert digits["output"] == {"kind": "classes", "classes": 10, "top_k": 3, "fields": fields}


async def test_an_unavailable_version_says_why(faremeter: Installation) -> None:
    vgg16 = json_of(await faremeter.http.get("/v1/models/vgg16", headers=faremeter.tenant().headers))
    (version,) = vgg16["versions"]
    assert (version["version"], version["status"]) == (1, "unavailable")
    assert vgg16["reason"] == version["reason"]
    assert "weights" in vgg16["reason"]


async def test_prices_are_those_of_the_callers_plan(faremeter: Installation) -> None:
    tiered = json_of(await faremeter.http.get("/v1/models/linear", headers=faremeter.tenant("tiered").headers))
    assert tiered["prices"][0]["scheme"] == "graduated"
    unsold = json_of(await faremeter.http.get("/v1/models/linear", headers=faremeter.tenant("digits-only").headers))
    assert unsold["prices"] == []
    planless = json_of(await faremeter.http.get("/v1/models/linear", headers=faremeter.tenant(plan=None).headers))
    assert (planless["prices"], planless["currency"]) == ([], None)


async def test_a_model_that_is_not_there_is_not_found(faremeter: Installation) -> None:
    response = await faremeter.http.get("/v1/models/nope", headers=faremeter.tenant().headers)
    assert_problem(response, Expected(404, "model_not_found", "model"))
