"""Hosts, kind and hostile, as visitors send them: the edge refuses what is no host name, knows the
same name in all its spellings, and never takes one tenant for another."""

import pytest

from support import http2, vectors, web
from support.nginx import TENANTS, edge, nginx, tools  # noqa: F401 (fixtures)
from support.upstream import value

SLUGS = {tenant["slug"]: tenant for tenant in TENANTS}


def ask(edge, host):
    """A request with these bytes as its Host header."""
    return edge.raw(b"GET /x HTTP/1.1\r\nHost: " + host + b"\r\nAccept: text/html\r\nConnection: close\r\n\r\n")


def expected(name, kind):
    """The status for a normalised name in the tests' directory."""
    if kind == "ip":
        return 404
    if name == "localhost":
        return 200
    label, _, base = name.partition(".")
    if base == "localhost" and label in SLUGS:
        return {None: 200, "maintenance": 503, "suspended": 403, "archived": 410}[SLUGS[label].get("status")]
    return 404


@pytest.mark.parametrize(("host", "name", "kind"), vectors.hosts())
def test_vector(edge, host, name, kind):
    before = len(edge.upstream.seen)
    answer = ask(edge, host)
    if name is None and b"\r" not in host and b"\n" not in host and host.strip(b" \t") == host:
        assert answer is not None and answer.status == 400, answer
        assert len(edge.upstream.seen) == before
    elif name is not None:
        assert answer.status == expected(name, kind), answer
        if answer.status == 200:
            seen = edge.upstream.seen[-1]
            assert value(seen, "X-Forwarded-Host").split(":")[0] == name
            assert (value(seen, "X-Tenant-Slug") or "") == name.partition(".")[0] * (name != "localhost")


@pytest.mark.parametrize(
    "host", [b"demo_.localhost", b"-demo.localhost", b"127.1", b"0x7f.1", b"a" * 64 + b".localhost", b"demo.localhost:0"]
)
def test_refusal_that_is_ours_is_told_as_ours(edge, host):
    """What nginx lets pass and is no host name all the same."""
    answer = edge.raw(b"GET /api HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
    assert (answer.status, answer.json()["code"]) == (400, "invalid_host")


@pytest.mark.parametrize("host", ["demo.localhost", "DEMO.LOCALHOST", "demo.localhost.", "demo.localhost:3000", "Demo.Localhost.:1"])
def test_spellings_of_one_host(edge, host):
    assert value(edge.seen(host), "X-Tenant-Slug") == "demo"


@pytest.mark.parametrize("host", ["x.demo.localhost", "demo.localhost.example", "xdemo.localhost", "demo", "example"])
def test_neighbours_of_a_host(edge, host):
    assert edge.get(host).status == 404


def test_two_host_headers(edge):
    for second in ("demo.localhost", "other.localhost"):
        answer = edge.raw(f"GET / HTTP/1.1\r\nHost: demo.localhost\r\nHost: {second}\r\nConnection: close\r\n\r\n".encode())
        assert answer.status == 400


def test_no_host_header(edge):
    assert edge.raw(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").status == 400
    answer = edge.raw(b"GET / HTTP/1.0\r\n\r\n")
    assert (answer.status, answer.json()["code"]) == (400, "invalid_host")
    assert b"invalid_host" in web.raw(edge.port, b"GET /\r\n")


def test_host_of_an_absolute_target(edge):
    def ask(target, host):
        return edge.raw(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())

    answer = ask("http://demo.localhost/x", "demo.localhost")
    assert value(answer.json(), "X-Tenant-Slug") == "demo"
    answer = ask("http://DEMO.localhost:3000/x", "demo.localhost:3000")
    assert value(answer.json(), "X-Forwarded-Host") == "demo.localhost:3000"
    assert answer.json()["path"] == "/x"
    answer = ask("http://old-demo.localhost:3000?q", "old-demo.localhost:3000")
    assert answer.header("Location") == "http://demo.localhost:3000/?q"
    for target, host in (
        ("http://demo.localhost/x", "other.localhost"),
        ("http://demo.localhost/x", "demo..localhost"),
        ("http://de_mo.localhost/x", "demo.localhost"),
    ):
        assert ask(target, host).status == 400, (target, host)


def test_http2_authority(nginx):
    port = nginx.new_port()
    nginx.write()
    nginx.configure(
        "server { listen 127.0.0.1:%d http2; tenantry on; location / { proxy_pass http://app; } }" % port
    )
    nginx.start()
    assert value(http2.get(port, "Demo.localhost:3000").json(), "X-Forwarded-Host") == "demo.localhost:3000"
    assert http2.get(port, "nobody.localhost").status == 404
    assert http2.get(port, "de%6do.localhost").status == 400
    answer = http2.get(port, "demo.localhost", "/", [("host", "other.localhost")])
    assert answer is None or answer.status == 400
    pseudo = [(":method", "GET"), (":scheme", "http"), (":path", "/")]
    assert value(http2.request(port, pseudo + [("host", "demo.localhost")]).json(), "X-Tenant-Slug") == "demo"
    assert http2.request(port, pseudo).status == 400


def test_hosts_are_told_apart_on_one_connection(edge):
    wanted = ["demo", "other"] * 20
    requests = "".join(f"GET / HTTP/1.1\r\nHost: {slug}.localhost\r\n\r\n" for slug in wanted)
    last = "GET / HTTP/1.1\r\nHost: demo.localhost\r\nConnection: close\r\n\r\n"
    before = len(edge.upstream.seen)
    web.raw(edge.port, (requests + last).encode())
    assert [value(seen, "X-Tenant-Slug") for seen in edge.upstream.seen[before:]] == wanted + ["demo"]
