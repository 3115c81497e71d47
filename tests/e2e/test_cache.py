"""The view of the directory, and what only an operator may do with it."""

import json

import pytest

from support.system import DEMO

VIEW = {
    "state",
    "generation",
    "databaseGeneration",
    "tenants",
    "domains",
    "flags",
    "sizeBytes",
    "usedBytes",
    "databaseId",
}


def view(system, query="", token=None):
    headers = [("Authorization", f"Bearer {token}")] if token else []
    return system.get(system.host(), "/api/tenant/cache" + query, headers)


def post(system, body=None, token=None, content_type="application/json"):
    headers = [("Authorization", f"Bearer {token}")] if token else []
    if body is not None:
        headers.append(("Content-Type", content_type))
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return system.http(
        system.host(), "/api/tenant/cache", "POST", headers, body if body is not None else b""
    )


def test_view_has_its_members_and_no_more(system):
    answer = view(system)
    assert answer.status == 200 and answer.type == "application/json"
    assert set(answer.json()) - {"reason"} == VIEW


def test_view_is_never_kept_by_a_cache(system):
    assert "no-store" in (view(system).header("Cache-Control") or "")


def test_view_counts_what_is_there(system, make_tenant):
    before = view(system).json()
    slug = make_tenant()
    system.run("domain", "add", slug, f"{slug}.example")
    system.run("flag", "set", f"flag-{slug}", "off")
    after = view(system).json()
    assert after["tenants"] == before["tenants"] + 1
    assert after["domains"] == before["domains"] + 1
    assert after["flags"] == before["flags"] + 1
    assert after["generation"] == after["databaseGeneration"] == before["generation"] + 3


def test_operator_sees_the_entries_with_their_hosts(system, make_tenant):
    slug = make_tenant()
    system.run("domain", "add", slug, f"{slug}.example")
    entries, cursor = {}, ""
    for _ in range(100):
        document = view(system, f"?limit=2{cursor}", system.token).json()
        assert len(document["entries"]) <= 2
        entries |= {entry["slug"]: entry for entry in document["entries"]}
        if not document.get("nextCursor"):
            break
        cursor = f"&cursor={document['nextCursor']}"
    assert set(entries) >= {*DEMO, slug}
    assert set(entries[slug]["hosts"]) == {f"{slug}.localhost", f"{slug}.example"}
    assert entries[slug]["status"] == "active"
    assert len(entries) == view(system).json()["tenants"]


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer tno_" + "A" * 43,
        "Basic {token}",
        "{token}",
        "Bearer {token}x",
        "Bearer {short}",
    ],
)
def test_wrong_credentials_see_nothing_and_change_nothing(system, authorization):
    value = authorization.format(token=system.token, short=system.token[:-1])
    headers = [("Authorization", value)]
    answer = system.http(system.host(), "/api/tenant/cache", "POST", headers, b"")
    assert (answer.status, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.header("WWW-Authenticate").startswith("Bearer")
    looked = system.get(system.host(), "/api/tenant/cache", headers)
    assert looked.status == 401 or "entries" not in looked.json()


def test_two_authorization_headers_are_none(system):
    headers = [("Authorization", "Bearer wrong"), ("Authorization", f"Bearer {system.token}")]
    assert system.http(system.host(), "/api/tenant/cache", "POST", headers, b"").status in (
        400,
        401,
    )


@pytest.mark.parametrize(
    "body",
    [None, {}, {"action": "rebuild"}, {"action": "rebuild", "force": False}, {"action": "init"}],
)
def test_operator_rebuilds_over_the_api(system, body):
    before = view(system).json()
    answer = post(system, body, system.token)
    assert answer.status == 200, answer
    assert answer.json()["generation"] == before["generation"]
    assert answer.json()["state"] == "ready"
    assert system.page("demo", "/whoami").status == 200
    assert view(system).json()["databaseId"] == before["databaseId"]


def test_rebuilding_over_and_over_never_loses_a_request(system):
    for _ in range(10):
        assert post(system, None, system.token).status == 200
        for slug in DEMO:
            assert system.page(slug, "/whoami").json()["path"] == f"/{slug}.localhost/whoami"


@pytest.mark.parametrize(
    "body, status",
    [
        (b"{", 400),
        (b"[]", 400),
        (b'"rebuild"', 400),
        (b'{"action":"drop"}', 400),
        (b'{"action":1}', 400),
        (b'{"action":"rebuild","force":"yes"}', 400),
        (b'{"action":"rebuild","extra":1}', 400),
        (b'{"action":"rebuild","action":"init"}', 400),
        (b'{"action":"rebuild"} x', 400),
        (b'{"action":"\\u0000"}', 400),
        (b'{"action":"\xff"}', 400),
        (b"[" * 5000, 400),
        (b'{"action":"' + b"x" * (129 * 1024) + b'"}', 413),
    ],
)
def test_a_body_that_is_not_right_is_refused(system, body, status):
    before = view(system).json()["generation"]
    answer = post(system, body, system.token)
    assert answer.status == status, answer
    assert answer.type == "application/problem+json"
    assert view(system).json()["generation"] == before


def test_a_body_must_be_json(system):
    answer = post(system, b'{"action":"rebuild"}', system.token, "text/plain")
    assert (answer.status, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("action", ["init", "rebuild"])
def test_command_and_api_do_the_same(system, action):
    document = system.json("cache", action)
    assert document["state"] == "ready"
    assert document["generation"] == view(system).json()["generation"]


def test_command_shows_the_view_for_people_and_for_programs(system):
    document = system.json("cache", "show")
    assert document["generation"] == view(system).json()["generation"]
    text = system.run("cache", "show")
    assert str(document["generation"]) in text and "ready" in text


def test_the_operators_routes_need_the_operator(system):
    routes = [
        ("GET", "/v1/tenants"),
        ("POST", "/v1/tenants"),
        ("GET", "/v1/tenants/demo"),
        ("PATCH", "/v1/tenants/demo"),
        ("GET", "/v1/tenants/demo/domains"),
        ("POST", "/v1/tenants/demo/domains"),
        ("DELETE", "/v1/tenants/demo/domains/x.example"),
        ("PUT", "/v1/tenants/demo/primary-domain"),
        ("DELETE", "/v1/tenants/demo/primary-domain"),
        ("GET", "/v1/domains"),
        ("GET", "/v1/flags"),
        ("PUT", "/v1/flags/x"),
        ("DELETE", "/v1/flags/x"),
        ("GET", "/v1/tenants/demo/flags"),
        ("PUT", "/v1/tenants/demo/flags/x"),
        ("DELETE", "/v1/tenants/demo/flags/x"),
        ("GET", "/v1/audit"),
        ("POST", "/v1/audit/verify"),
        ("GET", "/v1/status"),
    ]
    before = system.json("status")["database"]["generation"]
    for method, path in routes:
        for headers in ([], [("Authorization", "Bearer tno_" + "B" * 43)]):
            answer = system.http(
                system.host(), path, method, headers, b"" if method != "GET" else None
            )
            assert (answer.status, answer.json()["code"]) == (401, "unauthenticated"), (
                method,
                path,
                answer,
            )
    assert system.json("status")["database"]["generation"] == before


def test_no_tenants_page_reaches_the_operators_routes(system):
    """At a tenant's host /v1 is the application's path; the control plane is at the base host."""
    headers = [("Authorization", f"Bearer {system.token}")]
    answer = system.page("demo", "/v1/tenants", headers=headers)
    assert "entreprise1" not in answer.text
