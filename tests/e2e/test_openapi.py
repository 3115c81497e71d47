"""docs/openapi.yaml and the daemon say the same: the same routes, rights and body fields, and every
answer is of the form that the document gives it. Runs the daemon alone, without nginx."""

import contextlib
import json
import pathlib
import re
import subprocess

import jsonschema
import pytest
import yaml

from support import web
from support.system import System

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"
METHODS = ("get", "put", "post", "delete", "patch")


class Loader(yaml.SafeLoader):
    """YAML without its dates: a timestamp in an example is the text it looks like. And without
    duplicate keys, which YAML allows and nobody means."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key twice at line {node.start_mark.line + 1}: {keys}"
        return super().construct_mapping(node, deep)


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

SPEC = yaml.load(DOCUMENT.read_text(encoding="utf-8"), Loader)


def resolve(node):
    """Follows $ref, within the document."""
    while isinstance(node, dict) and "$ref" in node:
        reference = node["$ref"]
        assert reference.startswith("#/"), reference
        node = SPEC
        for part in reference[2:].split("/"):
            assert part in node, f"{reference} leads nowhere"
            node = node[part]
    return node


def operations():
    for path, item in SPEC["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def operation_of(method, path):
    """The operation that a path (with values in it) belongs to: (pattern, operation)."""
    for other, pattern, operation in operations():
        expression = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(pattern))
        if other == method and re.fullmatch(expression, path.split("?")[0]):
            return pattern, operation
    raise AssertionError(f"{method} {path} is not in the document")


def walk(node, where="#"):
    """Every mapping in the document, with its place."""
    if isinstance(node, dict):
        yield where, node
        for key, value in node.items():
            yield from walk(value, f"{where}/{key}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from walk(value, f"{where}/{number}")


def validator(schema):
    """For a schema of the document, whose references are the document's."""
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": SPEC["components"], **schema}
    return jsonschema.Draft202012Validator(whole)


def check(schema, value, where):
    errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator(schema).iter_errors(value)]
    assert not errors, f"{where}: {errors}\n{json.dumps(value)[:600]}"


# ---- the document itself ----


def test_document_is_whole():
    assert SPEC["openapi"].startswith("3.1.")
    for where, node in walk(SPEC):
        if "$ref" in node:
            resolve(node)
            assert set(node) == {"$ref"}, where
    for name, schema in SPEC["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        used = any(node.get("$ref") == f"#/components/schemas/{name}" for _, node in walk(SPEC))
        assert used, f"schema {name} is used nowhere"


def test_each_operation_is_told_in_full():
    identities = set()
    for method, path, operation in operations():
        name = f"{method} {path}"
        assert operation["operationId"] not in identities, name
        identities.add(operation["operationId"])
        assert operation["summary"] and operation["tags"], name
        assert set(operation["tags"]) <= {tag["name"] for tag in SPEC["tags"]}, name
        parameters = SPEC["paths"][path].get("parameters", []) + operation.get("parameters", [])
        in_path = {resolve(p)["name"] for p in parameters if resolve(p)["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path)), name
        assert any(status.startswith("2") for status in operation["responses"]), name
        needs_token = operation.get("security", SPEC["security"]) == [{"operator": []}]
        assert ("401" in operation["responses"]) == needs_token, name
        assert ("415" in operation["responses"]) == ("requestBody" in operation), name
        for status, response in operation["responses"].items():
            response = resolve(response)
            assert response["description"], name
            if int(status) >= 400:
                expected = "text/html" if path.startswith("/auth/") else "application/problem+json"
                assert list(response["content"]) == [expected], f"{name} {status}"
            if status == "503":
                assert "Retry-After" in response["headers"], name


def test_examples_are_of_their_schemas():
    count = 0
    for where, node in walk(SPEC):
        if "schema" not in node:
            continue
        examples = [example["value"] for example in node.get("examples", {}).values()]
        examples += [node["example"]] if "example" in node else []
        for example in examples:
            check(node["schema"], example, where)
            count += 1
    for name, schema in SPEC["components"]["schemas"].items():
        for example in schema.get("examples", []):
            check(schema, example, name)
            count += 1
    assert count > 30


# ---- the daemon's table ----


@pytest.fixture(scope="module")
def routes(build):
    """(method, path) → (right, body fields, required ones, whether the body may be left out)."""
    done = subprocess.run(
        [build / "tenantry", "serve", "--routes"], capture_output=True, text=True, timeout=10, check=True
    )
    table = {}
    for line in done.stdout.splitlines():
        method, path, right, body = line.split(" ")
        fields = [field for field in body.strip("()-").split(",") if field]
        required = {field[:-1] for field in fields if field.endswith("!")}
        table[method, path] = (right, {field.rstrip("!") for field in fields}, required, body.startswith("("))
    return table


def test_same_routes(routes):
    assert set(routes) == {(method, path) for method, path, _ in operations()}


def test_same_rights(routes):
    for method, path, operation in operations():
        security = operation.get("security", SPEC["security"])
        assert (routes[method, path][0] == "operator") == (security == [{"operator": []}]), (method, path)


def test_same_body_fields(routes):
    for method, path, operation in operations():
        _, fields, required, may_be_left_out = routes[method, path]
        body = operation.get("requestBody")
        if body is None:
            assert not fields, (method, path)
            continue
        schema = resolve(body["content"]["application/json"]["schema"])
        assert schema["additionalProperties"] is False, (method, path)
        assert set(schema["properties"]) == fields, (method, path)
        assert set(schema.get("required", [])) == required, (method, path)
        assert may_be_left_out == (not body["required"] and bool(fields)), (method, path)


# ---- its answers ----


class Daemon:
    """Asks the daemon, and holds every answer to the document. Notes what was seen."""

    def __init__(self, system):
        self.system = system
        self.seen = set()

    def ask(self, method, path, document=None, headers=(), anonymous=False):
        pattern, operation = operation_of(method, path)
        with contextlib.closing(self.system.connect()) as connection:
            if anonymous:
                body = None if document is None else json.dumps(document).encode()
                pairs = [("Host", "localhost"), *headers]
                pairs += [("Content-Type", "application/json")] if body else []
                answer = web.send(connection, method, path, pairs, body)
            else:
                answer = self.system.api(method, path, document, headers, connection)
        self.hold(method, pattern, operation, answer)
        return answer

    def hold(self, method, pattern, operation, answer):
        name = f"{method} {pattern} → {answer.status}"
        assert str(answer.status) in operation["responses"], f"{name} is not in the document: {answer}"
        response = resolve(operation["responses"][str(answer.status)])
        assert answer.type in response["content"], f"{name}: {answer}"
        for header, definition in response.get("headers", {}).items():
            definition = resolve(definition)
            value = answer.header(header)
            assert value is not None or not definition.get("required"), f"{name} has no {header}"
            if resolve(definition["schema"]).get("type") == "integer":
                value = int(value)
            check(definition["schema"], value, f"{name} {header}")
        if answer.type != "text/html":
            check(response["content"][answer.type]["schema"], answer.json(), name)
        if answer.type == "application/problem+json":
            problem = answer.json()
            assert problem["status"] == answer.status, name
            assert problem["type"] == f"urn:tenantry:problem:{problem['code']}", name
        assert answer.header("Cache-Control") == "no-store", name
        assert answer.header("X-Content-Type-Options") == "nosniff", name
        self.seen.add((method, pattern, answer.status))


@pytest.fixture(scope="module")
def daemon(build):
    system = System(build)
    try:
        system.state.mkdir(parents=True)
        system.start_daemon()
        yield Daemon(system)
    finally:
        system.close()


@pytest.fixture(scope="module")
def tenant(daemon):
    return daemon.ask("POST", "/v1/tenants", {"slug": "acme", "name": "Acmé"}).json()["tenant"]


def edge(tenant, host=None, by="subdomain"):
    """What the edge says of a tenant."""
    host = host or f"{tenant['slug']}.localhost"
    return [("X-Tenant-Id", tenant["id"]), ("X-Tenant-Domain", host), ("X-Tenant-Resolved-By", by)]


def test_tenants(daemon, tenant):
    full = {
        "slug": "full",
        "name": "Full",
        "plan": "gold",
        "listed": False,
        "settings": {"deep": [{"a": None}]},
        "upstream": "127.0.0.1:8080",
    }
    assert daemon.ask("POST", "/v1/tenants", full).status == 201
    assert daemon.ask("POST", "/v1/tenants", {"slug": "acme", "name": "x"}).status == 409
    assert daemon.ask("POST", "/v1/tenants", {"slug": "A", "name": "x"}).status == 400
    assert daemon.ask("POST", "/v1/tenants", {"slug": "a", "name": "x" * 140000}).status == 413
    assert daemon.ask("POST", "/v1/tenants", None, [("Content-Type", "text/plain")]).status == 415
    page = daemon.ask("GET", "/v1/tenants?limit=1").json()
    assert len(page["tenants"]) == 1 and page["nextCursor"]
    last = daemon.ask("GET", f"/v1/tenants?limit=1&cursor={page['nextCursor']}").json()
    assert last["nextCursor"] is None
    assert daemon.ask("GET", "/v1/tenants?limit=0").status == 400
    assert daemon.ask("GET", f"/v1/tenants/{tenant['id']}").json()["tenant"] == tenant
    assert daemon.ask("GET", "/v1/tenants/nobody").status == 404
    assert daemon.ask("GET", "/v1/tenants/%00").status == 400
    changed = daemon.ask("PATCH", "/v1/tenants/full", {"status": "suspended", "settings": {}})
    assert changed.status == 200
    stale = [("If-Match", '"1"')]
    assert daemon.ask("PATCH", "/v1/tenants/full", {"name": "y"}, stale).status == 412
    assert daemon.ask("PATCH", "/v1/tenants/full", {"slug": "acme"}).status == 409
    assert daemon.ask("PATCH", "/v1/tenants/full", {"status": "gone"}).status == 400
    assert daemon.ask("PATCH", "/v1/tenants/nobody", {}).status == 404


def test_domains(daemon, tenant):
    path = "/v1/tenants/acme/domains"
    assert daemon.ask("POST", path, {"host": "bücher.example"}).json()["domain"]["host"] == "xn--bcher-kva.example"
    assert daemon.ask("POST", path, {"host": "bücher.example"}).status == 409
    assert daemon.ask("POST", path, {"host": "127.0.0.1"}).json()["code"] == "invalid_host"
    assert daemon.ask("POST", "/v1/tenants/nobody/domains", {"host": "a.example"}).status == 404
    assert daemon.ask("POST", path, {"host": "second.example"}).status == 201
    assert len(daemon.ask("GET", path).json()["domains"]) == 2
    assert daemon.ask("GET", "/v1/tenants/nobody/domains").status == 404
    assert daemon.ask("GET", "/v1/domains?limit=1").json()["nextCursor"]
    assert daemon.ask("GET", "/v1/domains?cursor=x").status == 400
    primary = "/v1/tenants/acme/primary-domain"
    assert daemon.ask("PUT", primary, {"host": "second.example"}).json()["tenant"]["redirectToPrimary"] is True
    assert daemon.ask("PUT", primary, {"host": "other.example"}).status == 404
    assert daemon.ask("DELETE", primary).json()["tenant"]["primaryDomain"] is None
    assert daemon.ask("DELETE", path + "/second.example").status == 200
    assert daemon.ask("DELETE", path + "/second.example").status == 404


def test_flags(daemon, tenant):
    assert daemon.ask("PUT", "/v1/flags/beta", {"default": False, "description": "Beta"}).status == 200
    assert daemon.ask("PUT", "/v1/flags/1", {"default": False}).status == 400
    assert daemon.ask("GET", "/v1/flags").json()["flags"][0]["key"] == "beta"
    assert daemon.ask("PUT", "/v1/tenants/acme/flags/beta", {"value": True}).json()["value"] is True
    assert daemon.ask("PUT", "/v1/tenants/acme/flags/beta", {}).status == 400
    assert daemon.ask("GET", "/v1/tenants/acme/flags").json()["flags"] == [{"key": "beta", "value": True, "own": True}]
    assert daemon.ask("DELETE", "/v1/tenants/acme/flags/beta").json()["value"] is False
    assert daemon.ask("DELETE", "/v1/tenants/acme/flags/beta").status == 404
    assert daemon.ask("DELETE", "/v1/flags/beta").status == 200
    assert daemon.ask("DELETE", "/v1/flags/beta").status == 404


def test_audit(daemon, tenant):
    page = daemon.ask("GET", "/v1/audit?limit=1&action=tenant.*").json()
    assert len(page["entries"]) == 1
    daemon.ask("GET", f"/v1/audit?tenant={tenant['id']}")
    assert daemon.ask("GET", "/v1/audit?tenant=nobody").status == 404
    assert daemon.ask("POST", "/v1/audit/verify").json()["valid"] is True
    assert daemon.ask("POST", "/v1/audit/verify", {"x": 1}).status == 400


def test_current(daemon, tenant):
    path = "/api/tenant/current"
    other = daemon.ask("POST", "/v1/tenants", {"slug": "closing", "name": "Closing"}).json()["tenant"]
    assert daemon.ask("GET", path, headers=edge(tenant), anonymous=True).json()["tenant"]["id"] == tenant["id"]
    assert daemon.ask("GET", path, anonymous=True).json()["code"] == "no_tenant"
    unknown = daemon.ask("GET", path, headers=edge(tenant, "closing.localhost"), anonymous=True)
    assert unknown.json()["code"] == "unknown_tenant"
    assert daemon.ask("GET", path, headers=edge(tenant, by="guess"), anonymous=True).status == 400
    for state, status in (("maintenance", 503), ("suspended", 403), ("archived", 410)):
        daemon.ask("PATCH", "/v1/tenants/closing", {"status": state})
        answer = daemon.ask("GET", path, headers=edge(other), anonymous=True)
        assert (answer.status, answer.json()["code"]) == (status, f"tenant_{state}")


def test_directory(daemon, tenant):
    public = daemon.ask("GET", "/api/tenant/cache", anonymous=True).json()
    assert not {"path", "entries", "nextCursor"} & set(public)
    assert daemon.ask("GET", "/api/tenant/cache?limit=1").json()["entries"]
    assert daemon.ask("GET", "/api/tenant/cache?limit=x").status == 400
    for body in (None, {}, {"action": "init"}, {"action": "rebuild", "force": True}):
        assert daemon.ask("POST", "/api/tenant/cache", body).json()["state"] == "ready"
    assert daemon.ask("POST", "/api/tenant/cache", {"action": "x"}).status == 400
    assert daemon.ask("GET", "/v1/status").json()["publisher"] == {"state": "ready", "reason": None}


def test_pages(daemon, tenant):
    answer = daemon.ask("GET", "/auth/tenant-selection", anonymous=True)
    assert "http://acme.localhost" in answer.text
    assert daemon.ask("GET", "/auth/tenant-selection?cursor=x", anonymous=True).status == 400
    assert daemon.ask("GET", "/healthz", anonymous=True).json() == {"status": "ok"}


def test_operators_routes_without_the_token(daemon):
    for method, pattern, operation in operations():
        if operation.get("security", SPEC["security"]) == [{"operator": []}]:
            path = re.sub(r"\{\w+\}", "x", pattern)
            assert daemon.ask(method, path, anonymous=True).status == 401, pattern


def test_other_methods(daemon):
    for pattern, item in SPEC["paths"].items():
        path = re.sub(r"\{\w+\}", "x", pattern)
        allowed = {method.upper() for method in METHODS if method in item}
        allowed |= {"OPTIONS"} | ({"HEAD"} if "get" in item else set())
        options = daemon.system.api("OPTIONS", path)
        assert options.status == 204 and options.body == b""
        assert set(options.header("Allow").split(", ")) == allowed, pattern
        answer = daemon.system.api("TRACE", path)
        assert answer.status == 405 and set(answer.header("Allow").split(", ")) == allowed, pattern


def test_outage(daemon, tenant):
    """With the database moved away every route that documents 503 gives it, and no other does."""
    moved = [path for path in daemon.system.state.glob("tenantry.db*")]
    for path in moved:
        path.rename(path.with_name("away-" + path.name))
    try:
        for method, pattern, operation in operations():
            path = pattern.replace("{ref}", "acme").replace("{host}", "a.example").replace("{key}", "beta")
            body = None
            if "requestBody" in operation:
                required = resolve(operation["requestBody"]["content"]["application/json"]["schema"]).get("required", [])
                values = {"slug": "s", "name": "n", "host": "a.example", "value": True, "default": True}
                body = {field: values[field] for field in required}
            answer = daemon.ask(method, path, body, edge(tenant))
            assert (answer.status == 503) == ("503" in operation["responses"]), (method, pattern, answer)
    finally:
        for path in moved:
            path.with_name("away-" + path.name).rename(path)


# statuses that many operations share: some test has seen each, for some of them
SHARED = {400, 404, 409, 413, 415}
NOT_HERE = {507}  # nobody fills the disk here


def test_every_operation_was_held_to_the_document(daemon, request):
    """The last one: looks back at the others, when all of them ran."""
    here = {item.function for item in request.session.items if item.module is request.module}
    if here != {value for name, value in vars(request.module).items() if name.startswith("test_")}:
        pytest.skip("only some of this file's tests were chosen")
    documented = {(method, path, int(s)) for method, path, o in operations() for s in o["responses"]}
    assert daemon.seen <= documented
    missing = {(m, p, s) for m, p, s in documented - daemon.seen if s not in SHARED | NOT_HERE}
    assert not missing
    assert {s for _, _, s in documented} - NOT_HERE == {s for _, _, s in daemon.seen}
