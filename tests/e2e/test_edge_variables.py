"""$tenant_… in everything of nginx that takes variables."""

import json
import threading

from support.nginx import TENANTS, edge, nginx, tools  # noqa: F401 (fixtures)
from support.processes import wait_until
from support.upstream import Upstream, value

ALL = ("id", "slug", "domain", "plan", "status", "upstream", "token", "resolved_by", "answer", "generation",
       "flag_beta", "flag_gamma", "flag_none", "setting_theme", "setting_none")
LOG = "{" + ",".join(f'"{name}":"$tenant_{name}"' for name in ALL) + "}"


def logged(nginx, *hosts):
    for host in hosts:
        nginx.get(host)
    nginx.stop()
    return nginx.access_log()


def test_log_format(nginx):
    nginx.make_key()
    nginx.write()
    nginx.configure(log_format=LOG)
    nginx.start()
    demo, other, platform, unknown, resting, moved = logged(
        nginx, "demo.localhost:1", "other.example", "localhost", "nobody.localhost", "resting.localhost", "moved.localhost"
    )
    token = demo.pop("token")
    assert len(token.split(".")) == 3
    assert demo == {
        "id": TENANTS[0]["id"], "slug": "demo", "domain": "demo.localhost", "plan": "pro", "status": "active",
        "upstream": "", "resolved_by": "subdomain", "answer": "found", "generation": "7", "flag_beta": "1",
        "flag_gamma": "1", "flag_none": "", "setting_theme": "dark", "setting_none": "",
    }
    assert (other["domain"], other["resolved_by"], other["flag_beta"]) == ("other.example", "domain", "0")
    assert {name for name, text in platform.items() if text} == {"answer", "generation"}
    assert (platform["answer"], unknown["answer"], unknown["id"]) == ("platform", "unknown", "")
    assert (resting["answer"], resting["status"], resting["slug"]) == ("maintenance", "maintenance", "resting")
    assert (moved["answer"], moved["slug"], moved["token"]) == ("redirect", "moved", "")


def test_map_proxy_pass_and_limits(nginx):
    """A map on the plan, an upstream of the tenant's own, a limit for each tenant."""
    own = Upstream(nginx.folder / "own.sock")
    try:
        tenants = [dict(TENANTS[0], upstream=f"unix:{own.path}:"), TENANTS[1]]
        nginx.write(tenants=tenants)
        nginx.configure(
            """
            map $tenant_plan $burst { default none; pro high; }
            map $tenant_upstream $target { "" app; default $tenant_upstream; }
            limit_req_zone $tenant_id zone=limit:1m rate=1r/m;
            server {
                listen 127.0.0.1:@port@; tenantry on;
                location / { proxy_pass http://$target; add_header X-Burst "$burst $tenant_flag_beta $tenant_setting_theme"; }
                location /limited { limit_req zone=limit; proxy_pass http://$target; }
            }
            """
        )
        nginx.start()
        assert nginx.get("demo.localhost").header("X-Burst") == "high 1 dark"
        assert nginx.get("other.localhost").header("X-Burst") == "none 0 "
        assert [len(own.seen), len(nginx.upstream.seen)] == [1, 1]
        assert value(own.seen[0], "X-Tenant-Slug") == "demo"
        statuses = [nginx.get(host, "/limited").status for host in ["demo.localhost"] * 2 + ["other.localhost"] * 2]
        assert statuses == [200, 503, 200, 503]
    finally:
        own.close()


def test_variables_where_the_module_is_off(nginx):
    nginx.write()
    nginx.configure("server { listen 127.0.0.1:@port@; location / { proxy_pass http://app; } }", log_format=LOG)
    nginx.start()
    (line,) = logged(nginx, "demo.localhost")
    assert {name for name, text in line.items() if text} == {"generation"}


def test_values_are_those_of_the_requests_beginning(nginx):
    """A request that waits for its application while the directory is replaced, twice, goes on with
    what it began with: nothing of it points into the old file."""
    nginx.make_key()
    nginx.write()
    nginx.configure(
        location="proxy_read_timeout 20s; add_header X-Late '$tenant_slug $tenant_plan $tenant_setting_theme $tenant_domain' always;",
        log_format=LOG,
    )
    nginx.start()
    hold, held = threading.Event(), threading.Event()
    seen = nginx.upstream.seen

    class Holding(list):
        def append(self, item):
            super().append(item)
            if item["path"] == "/held":
                held.set()
                hold.wait(20)

    nginx.upstream._server.seen = Holding(seen)
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(nginx.get("demo.localhost", "/held")))
    waiting.start()
    assert held.wait(10)
    for generation, plan in ((8, "x" * 200), (9, "y" * 1000)):
        nginx.write(generation=generation, tenants=[dict(TENANTS[0], plan=plan, settings={"theme": plan})])
        wait_until(
            lambda: value(nginx.seen("demo.localhost"), "X-Tenant-Plan") == plan, "the new directory", timeout=5
        )
    hold.set()
    waiting.join()
    assert answers[0].header("X-Late") == "demo pro dark demo.localhost"
    assert nginx.get("demo.localhost").header("X-Late").startswith("demo yyy")
    nginx.stop()
    lines = [json.loads(line) for line in (nginx.folder / "access.log").read_text().splitlines()]
    assert {"pro", "x" * 200, "y" * 1000} == {line["plan"] for line in lines}


def test_subrequests_have_their_requests_variables(nginx):
    nginx.write()
    nginx.configure(
        """
        server {
            listen 127.0.0.1:@port@; tenantry on; ssi on; ssi_types *;
            location / { proxy_pass http://app; auth_request /auth; }
            location = /auth { internal; return 200; }
            location = /page { return 200 '<!--# include virtual="/part" -->'; default_type text/html; }
            location = /part { return 200 '$tenant_slug $tenant_setting_region'; }
        }
        """
    )
    nginx.start()
    assert nginx.get("demo.localhost", "/page").text == "demo eu"
    assert nginx.get("demo.localhost", "/x").status == 200
