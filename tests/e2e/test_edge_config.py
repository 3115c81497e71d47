"""The directives: what is refused, where, and with which words; and that a server without
`tenantry on` is as it would be without the module."""

import re

import pytest

from support import web
from support.nginx import edge, nginx, tools  # noqa: F401 (fixtures)

SERVER = "server { listen 127.0.0.1:@port@; %s location / { proxy_pass http://app; %s } }"


@pytest.mark.parametrize(
    ("server", "location", "complaint"),
    [
        ("tenantry maybe;", "", 'invalid value "maybe"'),
        ("tenantry on on;", "", "invalid number of arguments"),
        ("tenantry on; tenantry on;", "", '"tenantry" directive is duplicate'),
        ("", "tenantry on;", '"tenantry" directive is not allowed here'),
        ("tenantry_directory /x;", "", "not allowed here"),
        ("tenantry_token_key off;", "", "not allowed here"),
        ("", "tenantry_answers on;", "not allowed here"),
        ("tenantry_strategy path;", "", 'must name "host"'),
        ("tenantry_strategy host cookie;", "", 'invalid value "cookie" in "tenantry_strategy" directive'),
        ("tenantry_strategy host; tenantry_strategy host;", "", "is duplicate"),
        ("tenantry_path_prefix t;", "", 'must begin and end with "/"'),
        ("tenantry_path_prefix /t;", "", 'must begin and end with "/"'),
        ("tenantry_header 'X Tenant';", "", "letters, digits and hyphens"),
        ("tenantry_header '';", "", "letters, digits and hyphens"),
        ("tenantry_header host;", "", "a header that nginx itself reads"),
        ("tenantry_header Content-Length;", "", "a header that nginx itself reads"),
        ("tenantry_header X-Forwarded-Tenant;", "", "must not be"),
        ("tenantry_trusted_proxy nonsense;", "", 'invalid value "nonsense" in "tenantry_trusted_proxy"'),
        ("tenantry_trusted_proxy 10.0.0.0/33;", "", "invalid value"),
        ("tenantry_trusted_proxy;", "", "invalid number of arguments"),
        ("", "tenantry_rewrite x$uri;", 'must begin with "/"'),
        ("", "tenantry_rewrite '';", 'must begin with "/"'),
        ("", "tenantry_rewrite /a; tenantry_rewrite /b;", "is duplicate"),
        ("", "tenantry_rewrite /$tenant_slug$request_uri;", "use $uri"),
        ("", "tenantry_rewrite /${request_uri};", "use $uri"),
        ("", "tenantry_rewrite /x$uri?a=b;", "the query stays as it is"),
        ("tenantry_problem_prefix api;", "", 'must begin with "/"'),
        ("tenantry_retry_after soon;", "", "invalid value"),
        ("tenantry_jwks;", "", "not allowed here"),
        ("", "tenantry_cache_key_check perhaps;", 'invalid value "perhaps"'),
    ],
)
def test_refused(nginx, server, location, complaint):
    nginx.configure(SERVER % (server, location))
    taken, said = nginx.test_config()
    assert not taken
    assert complaint in said and f"in {nginx.config}:" in said


@pytest.mark.parametrize(
    ("http", "complaint"),
    [
        ("tenantry_token_cache 0;", "value must be between 1 and 1048576"),
        ("tenantry_token_cache many;", "invalid number"),
        ("tenantry_directory /x;", '"tenantry_directory" directive is duplicate'),
        ("tenantry_token_key off; tenantry_token_key off;", '"tenantry_token_key" directive is duplicate'),
    ],
)
def test_refused_in_http(nginx, http, complaint):
    nginx.configure(http + SERVER % ("tenantry on;", ""))
    taken, said = nginx.test_config()
    assert not taken and complaint in said


@pytest.mark.parametrize(("server", "location", "name"), [("tenantry on;", "", "tenantry"), ("", "tenantry_jwks;", "tenantry_jwks")])
def test_directory_must_be_named(nginx, server, location, name):
    http = SERVER % (server, location) if server else f"server {{ listen 127.0.0.1:@port@; location / {{ {location} }} }}"
    nginx.configure(http, directory="")
    taken, said = nginx.test_config()
    assert not taken and f'"{name}" needs a "tenantry_directory"' in said


def test_directory_need_not_be_there(nginx):
    nginx.configure()
    taken, said = nginx.test_config()
    assert taken and "warn" not in said, said


def test_unknown_variable_in_a_template(nginx):
    nginx.configure(SERVER % ("", "tenantry_rewrite $no_such_variable;"))
    taken, said = nginx.test_config()
    assert not taken and 'unknown "no_such_variable" variable' in said


def test_header_strategy_without_a_trusted_proxy_is_warned_about(nginx):
    nginx.configure(server="tenantry on; tenantry_strategy host header;")
    taken, said = nginx.test_config()
    assert taken and 'never applies without "tenantry_trusted_proxy"' in said


def test_every_directive_in_every_place_it_may_be(nginx):
    both = """
        tenantry %s; tenantry_strategy host path header; tenantry_path_prefix /in/; tenantry_header X-Org;
        tenantry_trusted_proxy 127.0.0.1 10.0.0.0/8 ::1 2001:db8::/32 unix:; tenantry_rewrite /x$uri;
        tenantry_answers on; tenantry_problem_prefix /api/; tenantry_retry_after 1m; tenantry_cache_key_check on;
    """
    nginx.make_key()
    nginx.write()
    nginx.configure(
        "tenantry_token_cache 16;" + both % "off" + "server { listen 127.0.0.1:@port@;" + both % "on"
        + "location / { tenantry_rewrite /y$uri; tenantry_cache_key_check off; proxy_pass http://app; }"
        + "location /jwks { tenantry_jwks; } }"
    )
    nginx.start()
    assert nginx.seen("localhost", "/in/demo/page", {"X-Org": "other"})["path"] == "/y/page"


def test_settings_of_http_and_server(nginx):
    """A server's own value takes the place of http's; without one it has http's."""
    nginx.write()
    nginx.configure(
        """
        tenantry on; tenantry_problem_prefix /api/; tenantry_retry_after 7; tenantry_rewrite /a$uri;
        server { listen 127.0.0.1:@port@; location / { proxy_pass http://app; } }
        server {
            listen 127.0.0.1:@port@; server_name resting.localhost other.localhost;
            tenantry_problem_prefix /rpc/; tenantry_retry_after 9; tenantry_rewrite off;
            location / { proxy_pass http://app; }
        }
        server { listen 127.0.0.1:@port@; server_name off.localhost; tenantry off; location / { proxy_pass http://app; } }
        """
    )
    nginx.start()
    page = {"Accept": "text/html"}
    assert nginx.get("nobody.localhost", "/api/x", page).type == "application/problem+json"
    assert nginx.get("nobody.localhost", "/rpc/x", page).type == "text/html"
    answer = nginx.get("resting.localhost", "/rpc/x", page)
    assert (answer.type, answer.header("Retry-After")) == ("application/problem+json", "9")
    assert nginx.get("resting.localhost", "/api/x", page).type == "text/html"
    assert nginx.seen("demo.localhost", "/x")["path"] == "/a/x"
    assert nginx.seen("other.localhost", "/x")["path"] == "/x"
    assert nginx.seen("off.localhost", "/x", {"X-Tenant-Id": "mine"})["path"] == "/x"


# ---- off is off ----

REQUESTS = [
    b"GET / HTTP/1.1\r\nHost: demo.localhost\r\nX-Tenant-Id: mine\r\nX-Forwarded-For: 192.0.2.1\r\nForwarded: for=x\r\n",
    b"GET //a/%2e%2e/b%20c?d HTTP/1.1\r\nHost: Nobody.LOCALHOST.:80\r\nX-Forwarded-Host: x\r\n",
    b"GET / HTTP/1.0\r\n",
    b"GET http://demo.localhost/x HTTP/1.1\r\nHost: other.localhost\r\n",
    b"GET / HTTP/1.1\r\nHost: de_mo\r\n",
    b"GET / HTTP/1.1\r\nHost: a..b\r\n",
    b"GET / HTTP/1.1\r\n",
    b"POST /post HTTP/1.1\r\nHost: blocked.localhost\r\nContent-Length: 3\r\n",
    b"GET /missing HTTP/1.1\r\nHost: gone.localhost\r\n",
]


def answers(nginx):
    """What visitors and the application get, without what differs each time."""
    found = []
    for request in REQUESTS:
        body = b"abc" if b"Content-Length" in request else b""
        answer = web.raw(nginx.port, request + b"Connection: close\r\n\r\n" + body)
        found.append(re.sub(rb"Date: .*\r\n", b"", answer))
    return found


def test_off_is_as_without_the_module(nginx):
    """Answer for answer and header for header, with the module loaded, in a server beside one that
    has it on, and in the nginx that never heard of it."""
    off = """
        server {
            listen 127.0.0.1:@port@; %s
            location / { proxy_pass http://app; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }
            location /missing { root /nonexistent; error_page 404 /other; }
        }
    """
    beside = f"server {{ listen 127.0.0.1:{nginx.new_port()}; tenantry on; location / {{ proxy_pass http://app; }} }}"
    nginx.write()
    found = {}
    for name, http in (("off", off % "tenantry off;"), ("beside", off % "" + beside), ("without", off % "")):
        nginx.configure(http, log_format='{"status":"$status"}')
        if name == "without":
            text = re.sub(r"(load_module|tenantry_directory) .*;", "", nginx.config.read_text())
            nginx.config.write_text(text)
        nginx.upstream.seen.clear()
        nginx.start()
        found[name] = (answers(nginx), [dict(seen) for seen in nginx.upstream.seen])
        nginx.stop()
    assert found["off"] == found["without"]
    assert found["beside"] == found["without"]
    assert len(found["without"][1]) == 7
