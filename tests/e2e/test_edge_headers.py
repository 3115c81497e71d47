"""The header firewall and the edge's own headers, over HTTP/1.1 and HTTP/2."""

import itertools
import random

import pytest

from support import http2, web
from support.nginx import TENANTS, Nginx, edge, nginx, tools  # noqa: F401 (fixtures)
from support.upstream import names, value

ID = TENANTS[0]["id"]

# names that an application may read as the edge's own, in one spelling or another
FORGED = [
    "X-Tenant",
    "X-Tenant-Id",
    "x-tenant-id",
    "X-TENANT-SLUG",
    "X-Tenant-Token",
    "X-Tenant-Anything-Else",
    "X-Tenant-",
    "X-Forwarded-Host",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "x-forwarded-prefix",
    "Forwarded",
    "FORWARDED",
]
UNDERSCORED = ["X_Tenant_Id", "x_tenant-slug", "X-Tenant_Token", "X_Forwarded_Host", "x_forwarded_for", "X_TENANT"]
ODD = ["X.Tenant.Id", "X-Tenant+Id", "x!tenant-slug", "X~Forwarded~Host"]
KEPT = ["X-Tenan", "X-Tenants", "X-Tenancy-Id", "XX-Tenant-Id", "X-Forwarder", "Forwardedx", "X-Forwarded", "Tenant-Id"]

WIDE = """
server {
    listen 127.0.0.1:@port@;
    listen 127.0.0.1:@h2@ http2;
    tenantry on;
    underscores_in_headers on;
    ignore_invalid_headers off;
    large_client_header_buffers 8 32k;
    location / { proxy_pass http://app; }
}
"""

TRUSTED = """
server {
    listen 127.0.0.1:@port@;
    listen unix:@folder@/front.sock;
    tenantry on;
    tenantry_strategy host path header;
    tenantry_trusted_proxy 127.0.0.0/8 ::1;
    location / { proxy_pass http://app; }
    location /added/ {
        proxy_pass http://app;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
}
"""


@pytest.fixture
def wide(nginx):
    nginx.h2 = nginx.new_port()
    nginx.write()
    nginx.configure(WIDE.replace("@h2@", str(nginx.h2)))
    return nginx.start()


@pytest.fixture(scope="module")
def behind_proxy(tools):
    edge = Nginx(tools)
    try:
        edge.write()
        edge.configure(TRUSTED)
        yield edge.start()
    finally:
        edge.close()


def assert_own(seen, host="demo.localhost", authority=None):
    """The edge's own headers, each once, and nothing else of the kind."""
    assert value(seen, "X-Tenant-Id") == ID
    assert value(seen, "X-Tenant-Slug") == "demo"
    assert value(seen, "X-Tenant-Domain") == host
    assert value(seen, "X-Tenant-Plan") == "pro"
    assert value(seen, "X-Tenant-Resolved-By") == "subdomain"
    assert value(seen, "X-Forwarded-Host") == (authority or host)
    assert value(seen, "X-Forwarded-Proto") == "http"
    assert value(seen, "X-Forwarded-For") == "127.0.0.1"
    assert "forged" not in str(seen["headers"])


def test_found_tenant_is_told(edge):
    seen = edge.seen("demo.localhost")
    assert_own(seen)
    assert value(seen, "X-Tenant-Token").count(".") == 2


def test_host_is_normalised_and_the_port_kept(edge):
    assert_own(edge.seen("DEMO.LocalHost.:3000"), authority="demo.localhost:3000")


def test_custom_domain_is_told(edge):
    seen = edge.seen("www.demo.example:8443")
    assert value(seen, "X-Tenant-Domain") == "www.demo.example"
    assert value(seen, "X-Forwarded-Host") == "www.demo.example:8443"
    assert value(seen, "X-Tenant-Resolved-By") == "domain"


def test_tenant_without_a_plan_has_no_plan_header(nginx):
    tenant = {k: v for k, v in TENANTS[0].items() if k != "plan"}
    nginx.write(tenants=[tenant])
    nginx.configure()
    nginx.start()
    assert value(nginx.seen("demo.localhost", headers={"X-Tenant-Plan": "forged"}), "X-Tenant-Plan") is None


def test_platform_has_no_tenant_headers_and_keeps_none(edge):
    seen = edge.seen("localhost:3000", headers=[(name, "forged") for name in FORGED])
    assert [name for name in names(seen) if name.startswith("x-tenant")] == []
    assert value(seen, "X-Forwarded-Host") == "localhost:3000"
    assert value(seen, "X-Forwarded-Proto") == "http"
    assert value(seen, "X-Forwarded-For") == "127.0.0.1"
    assert "forged" not in str(seen)


@pytest.mark.parametrize("name", FORGED)
def test_forged_header_is_dropped(edge, name):
    assert_own(edge.seen("demo.localhost", headers={name: "forged"}))


@pytest.mark.parametrize("name", KEPT)
def test_header_that_only_looks_alike_is_kept(edge, name):
    assert value(edge.seen("demo.localhost", headers={name: "mine"}), name) == "mine"


@pytest.mark.parametrize("name", FORGED + UNDERSCORED + ODD)
def test_forged_header_is_dropped_where_nginx_lets_any_name_pass(wide, name):
    assert_own(wide.seen("demo.localhost", headers={name: "forged", "X_Mine": "kept"}))
    assert value(wide.upstream.seen[-1], "X_Mine") == "kept"


@pytest.mark.parametrize("name", [name.lower() for name in FORGED + UNDERSCORED + ODD])
def test_forged_header_is_dropped_in_http2(wide, name):
    answer = http2.get(wide.h2, "demo.localhost", "/", [(name, "forged"), ("x_mine", "kept")])
    assert answer.status == 200
    assert_own(answer.json())
    assert value(answer.json(), "x_mine") == "kept"


def test_upper_case_name_in_http2_never_reaches_the_application(wide):
    before = len(wide.upstream.seen)
    http2.get(wide.h2, "demo.localhost", "/", [("X-Tenant-Id", "forged")])
    assert len(wide.upstream.seen) == before


def places():
    """Where forged headers stand among others: for each number of headers the first, the last, one in
    the middle, each second one, all."""
    for count in [*range(1, 24), 39, 40, 41, 59, 60, 61, 80]:
        yield count, {0}
        yield count, {count - 1}
        yield count, {count // 2}
        yield count, set(range(0, count, 2))
        yield count, set(range(count))


def mixed(count, forged):
    names = itertools.cycle(FORGED)
    return [(next(names), "forged") if i in forged else (f"X-Own-{i}", f"value {i}") for i in range(count)]


def own_headers(seen):
    return [(name.lower(), text) for name, text in seen["headers"] if name.lower().startswith("x-own-")]


def wanted(headers):
    return [(name.lower(), text) for name, text in headers if name.startswith("X-Own-")]


def test_forged_headers_are_dropped_wherever_they_stand(edge):
    for count, forged in places():
        headers = mixed(count, forged)
        seen = edge.seen("demo.localhost", headers=headers)
        assert_own(seen)
        assert own_headers(seen) == wanted(headers), (count, forged)


def test_forged_headers_are_dropped_wherever_they_stand_in_http2(wide):
    for count, forged in places():
        headers = mixed(count, forged)
        answer = http2.get(wide.h2, "demo.localhost", "/", [(n.lower(), v) for n, v in headers])
        assert_own(answer.json())
        assert own_headers(answer.json()) == wanted(headers), (count, forged)


def test_random_mixtures(wide):
    chance = random.Random(20260131)
    for _ in range(150):
        count = chance.randrange(0, 90)
        forged = {i for i in range(count) if chance.random() < chance.choice((0.1, 0.5, 0.9))}
        headers = mixed(count, forged)
        seen = wide.seen("demo.localhost", headers=headers)
        assert_own(seen)
        assert own_headers(seen) == wanted(headers)


def test_hundreds_of_forged_headers(wide):
    headers = [("X-Tenant-Id", "forged") if i % 2 else ("X-Own-%d" % i, "kept") for i in range(900)]
    head = "".join(f"{name}: {text}\r\n" for name, text in headers)
    answer = wide.raw(f"GET / HTTP/1.1\r\nHost: demo.localhost\r\nConnection: close\r\n{head}\r\n".encode())
    assert answer.status == 200, answer
    assert_own(answer.json())
    assert len(own_headers(answer.json())) == 450


def test_request_whose_every_header_is_dropped(wide):
    """In HTTP/2 before 1.25 the Host header is nginx's own; here nothing else is left beside it."""
    answer = http2.get(wide.h2, "demo.localhost", "/", [(n.lower(), "forged") for n in FORGED * 3])
    assert_own(answer.json())


def test_headers_that_nginx_points_to_stay_valid(edge):
    """Those after, between and before what is dropped, which nginx itself reads later."""
    body = b"a body of its own"
    headers = [
        ("X-Tenant-Id", "forged"),
        ("Content-Type", "text/x-mine"),
        ("Forwarded", "for=forged"),
        ("Accept-Encoding", "gzip"),
        ("X-Tenant-Slug", "forged"),
        ("User-Agent", "mine/1"),
        ("Cookie", "a=1"),
    ]
    seen = edge.seen("demo.localhost", "/post", headers, method="POST", body=body)
    assert seen["body"] == body.decode()
    assert value(seen, "Content-Type") == "text/x-mine"
    assert value(seen, "Content-Length") == str(len(body))
    assert value(seen, "User-Agent") == "mine/1"
    assert value(seen, "Cookie") == "a=1"
    assert_own(seen)


def test_forged_headers_are_dropped_from_requests_that_cannot_be_parsed(nginx):
    """nginx's own 400 leads to an error page, which here the application makes, by both ways there
    are: an internal redirect, and a named location, which skips the server's rewrite phase."""
    nginx.write()
    nginx.configure(
        """
        server {
            listen 127.0.0.1:@port@; tenantry on; error_page 400 @named;
            location @named { proxy_pass http://app; }
            location / { proxy_pass http://app; }
        }
        server {
            listen 127.0.0.1:@second@; tenantry on; error_page 400 /page;
            location / { proxy_pass http://app; }
        }
        """.replace("@second@", str(second := nginx.new_port()))
    )
    nginx.start()
    requests = [
        "GET / HTTP/1.1\r\nX-Tenant-Id: forged\r\nHost: demo.localhost\r\nHost: other.localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nX-Tenant-Id: forged\r\nX-Forwarded-Host: forged\r\nHost: a..b\r\n\r\n",
        "GET / HTTP/1.1\r\nX-Tenant-Id: forged\r\n\r\n",
    ]
    for port in (nginx.port, second):
        for request in requests:
            answer = nginx.raw(request.encode(), port)
            assert answer.status == 400, answer
            seen = nginx.upstream.seen[-1]
            assert [n for n in names(seen) if n.startswith("x-tenant")] == []
            assert "forged" not in str(seen)
            assert value(seen, "X-Forwarded-For") == "127.0.0.1"
    # a request for which nginx has not even made a list of headers
    assert nginx.raw(b"GET\x01/ HTTP/1.1\r\n\r\n", second).status == 400
    assert set(names(nginx.upstream.seen[-1])) - {"connection"} == {"host", "x-forwarded-proto", "x-forwarded-for"}


def test_variables_of_a_request_that_cannot_be_parsed(nginx):
    nginx.write()
    nginx.configure(log_format='{"tenant":"$tenant_id","answer":"$tenant_answer"}')
    nginx.start()
    assert nginx.raw(b"GET / HTTP/1.1\r\nHost: demo.localhost\r\nHost: demo.localhost\r\n\r\n").status == 400
    nginx.stop()
    assert nginx.access_log() == [{"tenant": "", "answer": ""}]


# ---- trusted proxies ----


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "demo.localhost:3000"},
        {"X-Forwarded-Host": "other.localhost, demo.localhost:3000"},
        {"Forwarded": "for=192.0.2.1;host=demo.localhost:3000;proto=http"},
        {"Forwarded": 'host="other.localhost", for="[2001:db8::1]:4711"; Host="demo.localhost:3000"'},
        {"Forwarded": 'for="a;host=evil, b\\"";host=DEMO.localhost:3000'},
        {"X-Forwarded-Host": "demo.localhost:3000", "Forwarded": "host=demo.localhost"},
    ],
)
def test_trusted_proxy_names_the_host(behind_proxy, headers):
    seen = behind_proxy.seen("inner.example", headers=headers)
    assert value(seen, "X-Tenant-Slug") == "demo"
    assert value(seen, "X-Forwarded-Host") == "demo.localhost:3000"


@pytest.mark.parametrize(
    "headers",
    [
        [("X-Forwarded-Host", "demo.localhost"), ("Forwarded", "host=other.localhost")],
        [("X-Forwarded-Host", "de mo.localhost")],
        [("X-Forwarded-Host", "demo..localhost")],
        [("X-Tenant", "demo"), ("X-Tenant", "other")],
    ],
)
def test_trusted_proxy_that_contradicts_itself_is_refused(behind_proxy, headers):
    assert behind_proxy.get("localhost", headers=headers).status == 400


def test_forwarded_element_without_a_host_says_nothing(behind_proxy):
    seen = behind_proxy.seen("demo.localhost", headers={"Forwarded": "host=other.localhost, for=192.0.2.1"})
    assert value(seen, "X-Tenant-Slug") == "demo"


@pytest.mark.parametrize(
    ("headers", "proto"),
    [
        ({"X-Forwarded-Proto": "https"}, "https"),
        ({"X-Forwarded-Proto": "http, HTTPS"}, "https"),
        ({"Forwarded": "proto=https"}, "https"),
        ({"X-Forwarded-Proto": "http"}, "http"),
        ({"X-Forwarded-Proto": "gopher"}, "http"),
    ],
)
def test_trusted_proxy_names_the_scheme(behind_proxy, headers, proto):
    assert value(behind_proxy.seen("demo.localhost", headers=headers), "X-Forwarded-Proto") == proto


def test_redirect_has_the_visitors_scheme_and_port(behind_proxy):
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "old-demo.localhost:8443"}
    answer = behind_proxy.get("inner.example", "/a?b", headers)
    assert (answer.status, answer.header("Location")) == (308, "https://demo.localhost:8443/a?b")


def test_address_is_added_to_a_trusted_chain(behind_proxy):
    headers = [("X-Forwarded-For", "192.0.2.1"), ("X-Own", "a"), ("X-Forwarded-For", "192.0.2.2, 192.0.2.3")]
    for path in ("/", "/added/"):
        seen = behind_proxy.seen("demo.localhost", path, headers)
        assert value(seen, "X-Forwarded-For") == "192.0.2.1, 192.0.2.2, 192.0.2.3, 127.0.0.1"


def test_other_forwarded_headers_of_a_trusted_proxy_are_kept(behind_proxy):
    seen = behind_proxy.seen("demo.localhost", headers={"X-Forwarded-Port": "8443", "Forwarded": "for=192.0.2.1"})
    assert value(seen, "X-Forwarded-Port") == "8443"
    assert value(seen, "Forwarded") == "for=192.0.2.1"


def test_tenant_headers_are_dropped_from_a_trusted_proxy_too(behind_proxy):
    assert_own(behind_proxy.seen("demo.localhost", headers={"X-Tenant-Id": "forged", "X-Tenant-Token": "forged"}))


@pytest.mark.parametrize("name", ["demo", ID])
def test_header_strategy_takes_a_trusted_value_and_drops_the_header(behind_proxy, name):
    seen = behind_proxy.seen("localhost", headers={"x-tenant": name})
    assert value(seen, "X-Tenant-Slug") == "demo"
    assert value(seen, "X-Tenant-Resolved-By") == "header"
    assert value(seen, "X-Tenant") is None


def test_header_strategy_with_an_unknown_tenant(behind_proxy):
    assert behind_proxy.get("localhost", headers={"X-Tenant": "nobody"}).status == 404


def test_host_decides_before_the_header(behind_proxy):
    assert value(behind_proxy.seen("demo.localhost", headers={"X-Tenant": "other"}), "X-Tenant-Slug") == "demo"


def test_header_strategy_does_not_listen_to_others(nginx):
    """The configured header is dropped from an address that is not trusted, whatever its name."""
    nginx.write()
    nginx.configure(
        server="tenantry on; tenantry_strategy host header; tenantry_header X-Org; tenantry_trusted_proxy 192.0.2.1;"
    )
    nginx.start()
    seen = nginx.seen("localhost", headers={"X-Org": "demo", "X-Organisation": "kept"})
    assert value(seen, "X-Tenant-Id") is None
    assert value(seen, "X-Org") is None
    assert value(seen, "X-Organisation") == "kept"


def test_untrusted_address_names_neither_host_nor_scheme(edge):
    headers = {"X-Forwarded-Host": "other.localhost", "Forwarded": "host=other.localhost", "X-Forwarded-Proto": "https"}
    assert_own(edge.seen("demo.localhost", headers=headers))


REALIP = """
server {
    listen 127.0.0.1:@port@;
    tenantry on;
    tenantry_trusted_proxy %s;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For;
    location / {
        proxy_pass http://app;
        proxy_set_header X-Remote $remote_addr;
    }
}
"""


def test_realip_does_not_make_a_proxy_of_a_visitor(nginx):
    """The visitor's address, which ngx_http_realip_module puts in the proxy's place, is a trusted one
    here: only the connection's own counts."""
    nginx.write()
    nginx.configure(REALIP % "192.0.2.0/24")
    nginx.start()
    seen = nginx.seen("demo.localhost", headers={"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Host": "other.localhost"})
    assert value(seen, "X-Tenant-Slug") == "demo"
    assert value(seen, "X-Remote") == "192.0.2.1"
    assert value(seen, "X-Forwarded-For") == "192.0.2.1"


def test_realip_beside_a_trusted_proxy(nginx):
    nginx.write()
    nginx.configure(REALIP % "127.0.0.1")
    nginx.start()
    headers = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Host": "other.localhost"}
    for _ in range(3):
        seen = nginx.seen("inner.example", headers=headers)
        assert value(seen, "X-Tenant-Slug") == "other"
        assert value(seen, "X-Remote") == "192.0.2.1"
        assert value(seen, "X-Forwarded-For") == "192.0.2.1, 127.0.0.1"


def test_realip_and_a_kept_connection(nginx):
    """The second request of a connection is judged by the connection's address again."""
    nginx.write()
    nginx.configure(REALIP % "192.0.2.0/24")
    nginx.start()
    one = "GET / HTTP/1.1\r\nHost: demo.localhost\r\nX-Forwarded-For: 192.0.2.9\r\n"
    two = one + "X-Forwarded-Host: other.localhost\r\nConnection: close\r\n"
    nginx.raw(f"{one}\r\n{two}\r\n".encode())
    assert [value(seen, "X-Tenant-Slug") for seen in nginx.upstream.seen] == ["demo", "demo"]


def test_peer_at_a_unix_socket(nginx):
    nginx.write()
    nginx.configure(
        """
        server {
            listen unix:@folder@/front.sock;
            tenantry on; tenantry_trusted_proxy unix:;
            location / { proxy_pass http://app; }
        }
        """
    )
    nginx.start()
    connection = web.UnixConnection(str(nginx.folder / "front.sock"), 5)
    answer = web.send(connection, "GET", "/", [("Host", "inner"), ("X-Forwarded-Host", "demo.localhost")])
    connection.close()
    assert value(answer.json(), "X-Tenant-Slug") == "demo"
    assert value(answer.json(), "X-Forwarded-For") == "unix:"


# ---- subrequests and internal redirects ----


def test_headers_reach_subrequests_and_redirected_requests(nginx):
    nginx.write()
    nginx.configure(
        """
        server {
            listen 127.0.0.1:@port@; tenantry on;
            location / { proxy_pass http://app; }
            location /checked/ { auth_request /auth; proxy_pass http://app; }
            location = /auth { internal; proxy_pass http://app/auth; }
            location /tried/ { root /nonexistent; try_files $uri @app; }
            location @app { proxy_pass http://app; }
            location /failing/ { error_page 403 = /page; deny all; }
            location /rewritten/ { rewrite ^/rewritten/(.*)$ /$1 last; }
        }
        """
    )
    nginx.start()
    forged = {"X-Tenant-Id": "forged", "X-Own": "kept"}
    for path in ("/tried/x", "/failing/x", "/rewritten/x"):
        assert_own(nginx.seen("demo.localhost", path, forged))
    nginx.upstream.seen.clear()
    nginx.seen("demo.localhost", "/checked/x", forged)
    assert [seen["path"] for seen in nginx.upstream.seen] == ["/auth", "/checked/x"]
    for seen in nginx.upstream.seen:
        assert_own(seen)
        assert value(seen, "X-Own") == "kept"


def test_http_variables_see_what_the_application_sees(nginx):
    nginx.write()
    nginx.configure(
        location="add_header X-Seen \"$http_x_tenant_id|$http_x_forwarded_for|$http_x_own\" always;"
    )
    nginx.start()
    answer = nginx.get("demo.localhost", headers={"X-Tenant-Id": "forged", "X-Forwarded-For": "192.0.2.1", "X-Own": "a"})
    first, forwarded, own = answer.header("X-Seen").split("|")
    assert (first, own) == (ID, "a")
    assert "192.0.2.1" not in forwarded
