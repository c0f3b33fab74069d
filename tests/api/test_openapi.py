"""The description of the interface is one that tools can read, and says what the server does."""

from collections.abc import Iterator
from typing import Any

from tests.api.installation import Installation, json_of

METHODS = {"get", "put", "post", "delete"}


def nodes_of(value: Any) -> Iterator[Any]:
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes_of(inner)


def operations_of(schema: Any) -> Iterator[tuple[str, Any]]:
    for path, item in schema["paths"].items():
        assert item.keys() <= METHODS
        for operation in item.values():
            yield path, operation


async def schema_of(faremeter: Installation) -> Any:
    return json_of(await faremeter.http.get("/openapi.json"))


async def test_every_reference_leads_somewhere(faremeter: Installation) -> None:
    schema = await schema_of(faremeter)
    assert schema["openapi"].startswith("3.1")
    references = {node["$ref"] for node in nodes_of(schema) if isinstance(node, dict) and "$ref" in node}
    for reference in references:
        place = schema
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


async def test_every_operation_has_its_own_name_a_summary_and_its_path_parameters(faremeter: Installation) -> None:
    operations = list(operations_of(await schema_of(faremeter)))
    names = [operation["operationId"] for _, operation in operations]
    assert len(set(names)) == len(names)
    for path, operation in operations:
        assert operation["summary"]
        assert operation["tags"]
        in_path = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
        assert in_path == {part[1:].partition("}")[0] for part in path.split("/") if part.startswith("{")}


async def test_every_error_is_described_as_a_problem(faremeter: Installation) -> None:
    for _, operation in operations_of(await schema_of(faremeter)):
        responses = operation["responses"]
        assert "default" in responses
        for status, response in responses.items():
            if not status.startswith("2"):
                assert list(response["content"]) == ["application/problem+json"]
                assert response["description"]


async def test_every_route_but_the_public_ones_asks_for_a_declared_credential(faremeter: Installation) -> None:
    schema = await schema_of(faremeter)
    declared = schema["components"]["securitySchemes"]
    assert {name: scheme["type"] for name, scheme in declared.items()} == {
        "bearer": "http",
        "api_key": "apiKey",
        "operator": "http",
    }
    for path, operation in operations_of(schema):
        asked = [name for option in operation.get("security", []) for name in option]
        assert set(asked) <= declared.keys()
        assert bool(asked) == path.startswith("/v1/"), path
        assert ("operator" in asked) == path.startswith("/v1/admin"), path


async def test_the_predict_route_says_what_it_reads_and_answers(faremeter: Installation) -> None:
    operation = (await schema_of(faremeter))["paths"]["/v1/models/{model}/predict"]["post"]
    read = operation["requestBody"]["content"]
    assert set(read) == {"application/json", "multipart/form-data", "image/jpeg", "image/png", "image/webp"}
    assert {"Idempotency-Key", "model"} == {parameter["name"] for parameter in operation["parameters"]}
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    tenant = faremeter.tenant("tiered")
    example = read["application/json"]["example"]
    body = json_of(await faremeter.http.post("/v1/models/linear/predict", json=example, headers=tenant.headers))
    assert list(body) == answer["required"]
    assert body["usage"].keys() == answer["properties"]["usage"]["properties"].keys() - {"results"}


async def test_answers_about_money_and_bounds_are_described_field_by_field(faremeter: Installation) -> None:
    schema = await schema_of(faremeter)
    described = schema["components"]["schemas"]
    for name in ("BalanceFields", "GrantFields", "RefundFields", "MovementFields", "BudgetStateFields", "AlertFields"):
        for field, facts in described[name]["properties"].items():
            known = {"id", "created_at", "refunded_at", "measure", "window", "amount"}
            assert field in known or "description" in facts or "$ref" in facts, (name, field)
    bounds = ("balance", "credits", "budgets", "limits", "keys")
    for path, operation in operations_of(schema):
        if any(f"/{word}" in path for word in bounds):
            (success,) = (each for status, each in operation["responses"].items() if status.startswith("2"))
            assert success["content"]["application/json"]["schema"]["$ref"], path
