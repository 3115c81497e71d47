"""Hosts that no browser sends: byte for byte over a socket. Whatever comes, no tenant's page is shown
for a name that is not that tenant's, and nothing breaks."""

import socket

import pytest

from support import vectors, web
from support.system import DEMO


def ask(system, *lines, target="/whoami"):
    """A raw request with these header lines (bytes); its answer, None when it just hung up."""
    head = [
        b"GET " + target.encode() + b" HTTP/1.1",
        *lines,
        b"Accept: application/json",
        b"Connection: close",
    ]
    return web.parse(system.raw(b"\r\n".join(head) + b"\r\n\r\n"))


def assert_nobodys(system, answer, status):
    assert answer is not None and answer.status in status, answer
    for slug in DEMO:
        assert system.ids[slug].encode() not in answer.body
    assert b"x-tenant-" not in answer.body.lower()


def assert_tenants(system, answer, slug, host):
    """An answer of the application for exactly this tenant, all signs of it agreeing."""
    assert answer is not None and answer.status == 200, answer
    document = answer.json()
    headers = {name.lower(): value for name, value in document["headers"].items()}
    assert document["path"] == f"/{host}/whoami"
    assert headers["x-tenant-slug"] == slug
    assert headers["x-tenant-domain"] == host
    assert headers["x-tenant-id"] == system.ids[slug]
    assert headers["x-forwarded-host"].split(":")[0].rstrip(".").lower() == host


@pytest.fixture(scope="module", autouse=True)
def ids(system):
    system.ids = {slug: system.json("tenant", "show", slug)["tenant"]["id"] for slug in DEMO}


def as_http_reads_it(value):
    """The value of a header field: one line, without blanks around it (RFC 9112 section 5)."""
    return value.partition(b"\n")[0].removesuffix(b"\r").strip(b" \t")


VECTORS = vectors.hosts()
BY_INPUT = {value: name for value, name, _ in VECTORS}


@pytest.mark.parametrize(
    "value, name, kind", VECTORS, ids=[f"{i}-{v[0][:24]!r}" for i, v in enumerate(VECTORS)]
)
def test_host_header(system, value, name, kind):
    answer = ask(system, b"Host: " + value)
    read = as_http_reads_it(value)
    if read != value:
        # what is left of it may be a good name, and then it is that one; anything else is refused
        name = BY_INPUT.get(read)
        if name is not None and answer.status != 400:
            return assert_tenants(system, answer, "demo", name)
        return assert_nobodys(system, answer, (400, 404))
    if name == "demo.localhost":
        return assert_tenants(system, answer, "demo", name)
    assert_nobodys(system, answer, (404,) if name else (400,))
    if answer.type == "application/problem+json":
        assert answer.json()["code"] in (
            ("unknown_tenant", "no_tenant", "not_found") if name else ("invalid_host",)
        )


def test_two_hosts_are_refused(system):
    for second in (b"demo.localhost", b"entreprise1.localhost", b""):
        assert_nobodys(system, ask(system, b"Host: demo.localhost", b"Host: " + second), (400,))
        assert_nobodys(
            system,
            ask(system, b"Host: demo.localhost", b"X-Between: 1", b"hOST: " + second),
            (400,),
        )


def test_no_host_is_refused(system):
    assert_nobodys(system, ask(system), (400,))


def test_no_host_in_http_1_0_is_nobodys(system):
    answer = web.parse(system.raw(b"GET /whoami HTTP/1.0\r\n\r\n"))
    assert_nobodys(system, answer, (400, 404))


def test_underscored_and_spaced_host_headers_are_not_the_host(system):
    assert_tenants(
        system,
        ask(system, b"Host: demo.localhost", b"Ho_st: entreprise1.localhost"),
        "demo",
        "demo.localhost",
    )
    answer = ask(system, b"Host : entreprise1.localhost", b"Host: demo.localhost")
    if answer.status == 200:
        assert_tenants(system, answer, "demo", "demo.localhost")
    else:
        assert_nobodys(system, answer, (400,))


def test_folded_host_header_is_nobody_elses(system):
    answer = ask(system, b"Host: demo.localhost\r\n entreprise1.localhost")
    if answer.status == 200:
        assert_tenants(system, answer, "demo", "demo.localhost")
    else:
        assert_nobodys(system, answer, (400,))


@pytest.mark.parametrize(
    "target, slug",
    [
        ("http://entreprise1.localhost/whoami", "entreprise1"),
        ("HTTP://ENTREPRISE1.LOCALHOST/whoami", "entreprise1"),
        ("http://entreprise1.localhost:80/whoami", "entreprise1"),
        ("http://nobody.localhost/whoami", None),
        ("http://demo.localhost@entreprise1.localhost/whoami", None),
        ("http://localhost/whoami", None),
        ("http:///whoami", None),
        ("http://[::1]/whoami", None),
    ],
)
def test_absolute_target_decides_and_the_host_header_does_not(system, target, slug):
    """RFC 9112 section 3.2.2: the target's authority counts and Host is ignored. What must never be
    is a mixture of the two."""
    answer = ask(system, b"Host: demo.localhost", target=target)
    if slug is not None and answer.status != 400:
        assert_tenants(system, answer, slug, f"{slug}.localhost")
    else:
        assert_nobodys(system, answer, (400, 404))


@pytest.mark.parametrize(
    "target", ["*", "demo.localhost:80", "entreprise1.localhost", "", "whoami", "?/whoami"]
)
def test_other_forms_of_targets_are_nobodys(system, target):
    assert_nobodys(system, ask(system, b"Host: demo.localhost", target=target), (400, 404, 405))


def test_each_request_of_one_connection_is_resolved_anew(system):
    order = ["demo", "entreprise1", "nobody", "entreprise2", "demo", "entreprise1", "demo_x"]
    requests = b"".join(
        f"GET /whoami HTTP/1.1\r\nHost: {name}.localhost\r\n"
        f"{'Connection: close' if number == len(order) - 1 else 'X: y'}\r\n\r\n".encode()
        for number, name in enumerate(order)
    )
    answers = system.raw(requests).split(b"HTTP/1.1 ")[1:]
    assert len(answers) == len(order), answers
    for name, answer in zip(order, answers):
        status = int(answer[:3])
        assert status == (200 if name in DEMO else 400 if "_" in name else 404)
        for slug in DEMO:
            assert (system.ids[slug].encode() in answer) == (slug == name)


def test_a_refused_host_may_close_but_never_desynchronise_a_connection(system):
    """What follows a refused request with a body is not read as the next request."""
    inner = b"GET /whoami HTTP/1.1\r\nHost: entreprise1.localhost\r\n\r\n"
    request = b"POST / HTTP/1.1\r\nHost: a..b\r\nContent-Length: %d\r\n\r\n" % len(inner) + inner
    request += b"GET /whoami HTTP/1.1\r\nHost: demo.localhost\r\nConnection: close\r\n\r\n"
    answer = system.raw(request)
    assert system.ids["entreprise1"].encode() not in answer
    assert answer.count(b"HTTP/1.1 ") <= 2


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
        [b"Content-Length: 5", b"Content-Length: 6"],
        [b"Content-Length: 5, 6"],
        [b"Transfer-Encoding: chunked, identity"],
        [b"Content-Length: +5"],
    ],
)
def test_double_framing_is_refused(system, lines):
    inner = b"0\r\n\r\nGET /whoami HTTP/1.1\r\nHost: entreprise1.localhost\r\n\r\n"
    head = b"\r\n".join([b"POST /whoami HTTP/1.1", b"Host: demo.localhost", *lines]) + b"\r\n\r\n"
    answer = system.raw(head + inner)
    assert answer[9:10] in (b"4", b"5") and answer[9:12] in (b"400", b"411", b"501"), answer[:200]
    assert system.ids["entreprise1"].encode() not in answer


def test_the_daemon_refuses_doubled_hosts_and_framings_itself(system):
    """nginx in front does too; the daemon's library would not."""

    def daemon(data):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(system.state / "serve.sock"))
            connection.sendall(data)
            return connection.recv(65536)

    good = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    assert daemon(good + b"\r\n").startswith(b"HTTP/1.1 200")
    assert daemon(good + b"Host: localhost\r\n\r\n").startswith(b"HTTP/1.1 400")
    framings = b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    both = b"POST /v1/tenants HTTP/1.1\r\nHost: localhost\r\n" + framings
    assert daemon(both).startswith(b"HTTP/1.1 400")


def test_system_is_well_after_all_of_it(system):
    for slug in DEMO:
        assert_tenants(
            system, ask(system, f"Host: {slug}.localhost".encode()), slug, f"{slug}.localhost"
        )
    system.check_logs()
