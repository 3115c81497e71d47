"""What Tenantry promises to whoever starts it for the first time, one test a promise."""

import os
import re
import signal

import pytest

from support.processes import is_alive, wait_until
from support.system import DEMO


def headers_of(answer):
    return {name.lower(): value for name, value in answer.json()["headers"].items()}


# ---- whose it is ----


@pytest.mark.parametrize("slug", DEMO)
def test_current_tenant_is_the_one_of_the_host(system, slug):
    answer = system.page(slug, "/api/tenant/current")
    assert answer.status == 200 and answer.type == "application/json"
    document = answer.json()
    assert sorted(document) == ["domain", "resolvedBy", "source", "tenant"]
    assert sorted(document["tenant"]) == [
        "flags",
        "id",
        "name",
        "plan",
        "settings",
        "slug",
        "status",
    ]
    assert document["tenant"]["slug"] == slug
    assert document["tenant"]["status"] == "active"
    assert document["domain"] == f"{slug}.localhost"
    assert document["resolvedBy"] == "subdomain"
    assert document["source"] == "database"


@pytest.mark.parametrize(
    "host", ["DEMO.localhost", "demo.LOCALHOST.", "Demo.LocalHost:80", "demo.localhost.:3000"]
)
def test_case_port_and_a_trailing_dot_make_no_other_host(system, host):
    document = system.get(host, "/api/tenant/current").json()
    assert document["tenant"]["slug"] == "demo"
    assert document["domain"] == "demo.localhost"


def test_base_host_has_no_tenant_and_says_so(system):
    answer = system.get(system.host(), "/api/tenant/current")
    assert (answer.status, answer.json()["code"]) == (404, "no_tenant")


def test_unknown_subdomain_is_told_apart_from_no_tenant(system):
    answer = system.get(system.host("nobody"), "/api/tenant/current")
    assert (answer.status, answer.json()["code"]) == (404, "unknown_tenant")


# ---- the directory can be looked at ----


def test_cache_view_shows_that_the_edge_is_at_the_database_generation(system):
    document = system.get(system.host(), "/api/tenant/cache").json()
    assert document["state"] == "ready"
    assert document["generation"] == document["databaseGeneration"] > 0
    assert document["tenants"] >= len(DEMO)
    assert document["sizeBytes"] >= document["usedBytes"] > 0
    assert isinstance(document["domains"], int)


def test_cache_entries_are_not_for_everyone(system):
    assert "entries" not in system.get(system.host(), "/api/tenant/cache").json()
    token = [("Authorization", f"Bearer {system.token}")]
    entries = system.get(system.host(), "/api/tenant/cache", token).json()["entries"]
    assert {entry["slug"] for entry in entries} >= set(DEMO)


def test_cache_is_rebuilt_by_an_operator_only(system):
    answer = system.http(system.host(), "/api/tenant/cache", "POST", body=b"")
    assert (answer.status, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.header("WWW-Authenticate").startswith("Bearer")


def test_cache_is_rebuilt_by_the_command(system):
    before = system.json("cache", "show")["generation"]
    system.run("cache", "rebuild")
    assert system.json("cache", "show")["generation"] == before
    assert system.page("demo", "/whoami").status == 200


# ---- the selection page ----


@pytest.mark.parametrize("slug", DEMO)
def test_selection_page_links_every_listed_tenant(system, slug):
    page = system.get(system.host(), "/auth/tenant-selection", [("Accept", "text/html")])
    assert page.status == 200 and page.type == "text/html"
    assert f'href="http://{slug}.localhost:{system.port}' in page.text


def test_selection_page_says_how_to_set_up_names(system):
    page = system.get(system.host(), "/auth/tenant-selection").text
    assert "127.0.0.1" in page and re.search(r"\*\.[a-z]+", page)


def test_hosts_prints_the_lines_of_the_hosts_file(system):
    lines = system.run("hosts").splitlines()
    named = {
        name for line in lines if re.match(r"127\.0\.0\.1\s", line) for name in line.split()[1:]
    }
    assert named >= {f"{slug}.localhost" for slug in DEMO}


# ---- the application behind ----


@pytest.mark.parametrize("slug", DEMO)
def test_home_page_is_the_tenants_own_and_no_redirect(system, slug):
    answer = system.page(slug)
    assert answer.status == 200 and answer.header("Location") is None
    name = system.json("tenant", "show", slug)["tenant"]["name"]
    assert name in answer.text
    for other in set(DEMO) - {slug}:
        assert system.json("tenant", "show", other)["tenant"]["id"] not in answer.text


def test_whoami_shows_the_path_that_the_visitor_does_not_see(system):
    document = system.page("demo", "/whoami").json()
    assert document["path"] == "/demo.localhost/whoami"


def test_application_is_told_whose_request_it_is(system):
    tenant = system.page("demo", "/api/tenant/current").json()["tenant"]
    headers = headers_of(system.page("demo", "/whoami"))
    assert headers["x-tenant-id"] == tenant["id"]
    assert headers["x-tenant-slug"] == "demo"
    assert headers["x-tenant-domain"] == "demo.localhost"
    assert headers["x-tenant-plan"] == tenant["plan"]
    assert headers["x-tenant-resolved-by"] == "subdomain"
    assert headers["x-tenant-token"].count(".") == 2
    assert headers["x-forwarded-host"] == f"demo.localhost:{system.port}"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-for"] == "127.0.0.1"


def test_forged_headers_never_reach_the_application(system):
    forged = [
        ("X-Tenant-Id", "forged"),
        ("x_tenant_slug", "entreprise1"),
        ("X-TENANT-SLUG", "entreprise1"),
        ("X-Forwarded-Host", "entreprise1.localhost"),
    ]
    answer = system.page("demo", "/whoami", headers=forged)
    assert answer.status == 200
    assert "forged" not in answer.text and "entreprise1" not in answer.text
    assert headers_of(answer)["x-tenant-slug"] == "demo"


# ---- the next request sees the change ----


def test_tenant_made_now_is_served_now(system):
    system.run("tenant", "create", "acme", "--name", "Acme & Sons")
    page = system.page("acme")
    assert page.status == 200 and "Acme &amp; Sons" in page.text


def test_suspension_shows_in_the_next_request(system, make_tenant):
    slug = make_tenant()
    system.run("tenant", "suspend", slug)
    assert system.page(slug).status == 403
    system.run("tenant", "resume", slug)
    assert system.page(slug).status == 200


def test_renamed_tenant_answers_at_its_new_name_and_redirects_from_the_old(system, make_tenant):
    slug = make_tenant()
    system.run("tenant", "rename", slug, f"{slug}-new")
    answer = system.page(slug, "/a?b=c")
    assert answer.status == 308
    assert answer.header("Location") == f"http://{slug}-new.localhost:{system.port}/a?b=c"
    assert system.page(f"{slug}-new").status == 200


def test_flag_is_on_for_its_tenant_alone(system, make_tenant):
    one, other = make_tenant(), make_tenant()
    system.run("flag", "set", "beta", "on", "--tenant", one)
    assert system.page(one, "/api/tenant/current").json()["tenant"]["flags"]["beta"] is True
    assert system.page(other, "/api/tenant/current").json()["tenant"]["flags"]["beta"] is False


def test_audit_trail_knows_what_was_done_and_verifies(system, make_tenant):
    slug = make_tenant()
    system.run("tenant", "suspend", slug)
    assert system.json("audit", "verify")["valid"] is True
    newest = system.json("audit", "list", "--limit", "1")["entries"][0]
    assert (newest["action"], newest["target"]) == ("tenant.suspend", slug)
    assert (newest["before"]["status"], newest["after"]["status"]) == ("active", "suspended")


# ---- without a database ----


def test_edge_serves_on_with_daemon_killed_and_database_gone(own_system):
    system = own_system
    logged = system.error_log()
    system.kill_daemon()
    os.rename(system.state / "tenantry.db", system.state / "tenantry.db.away")
    for _ in range(20):
        for slug in DEMO:
            assert system.page(slug).status == 200
            assert system.page(slug, "/whoami").status == 200
    assert system.error_log() == logged  # nothing is logged per request about it
    answer = system.page("demo", "/api/tenant/current")
    assert answer.status in (502, 503)
    assert answer.json()["code"] in ("control_unavailable", "database_unavailable")


# ---- starting and stopping ----


def test_operators_token_is_for_its_owner_only(system):
    assert (system.state / "operator.token").stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"tno_[A-Za-z0-9_-]{43}", system.token)


def test_state_has_the_database_and_the_process_id(system):
    assert (system.state / "tenantry.db").is_file()
    assert is_alive(system.daemon_pid())


def test_foreground_shows_a_line_a_request_and_how_to_turn_it_off(system):
    system.page("demo", "/seen-in-the-foreground")
    lines = wait_until(
        lambda: [
            line for line in system.log.read_text().splitlines() if "seen-in-the-foreground" in line
        ],
        "the request's line",
    )
    assert len(lines) == 1
    assert re.match(r".*\d\d:\d\d:\d\d", lines[0])
    for word in ("demo.localhost", "demo", "subdomain"):
        assert word in lines[0]
    assert "request_log" in system.log.read_text() or "REQUEST_LOG" in system.log.read_text()


def test_urls_to_open_are_printed_at_the_start(system):
    printed = system.log.read_text()
    for slug in DEMO:
        assert f"http://{slug}.localhost:{system.port}" in printed


def test_ctrl_c_stops_all_of_it_and_a_second_start_finds_its_data(own_system):
    system = own_system
    system.run("tenant", "create", "kept", "--name", "Kept")
    identity = system.json("status")["database"]["id"]
    token = system.token
    system.stop(signal.SIGINT, to_group=True)  # fails when a process is left
    assert not list(system.state.rglob("*.sock")), "sockets are left"
    system.start()
    assert system.page("kept").status == 200
    assert system.json("status")["database"]["id"] == identity
    assert system.token == token
    assert [t["slug"] for t in system.json("tenant", "list")["tenants"]] == sorted([*DEMO, "kept"])
