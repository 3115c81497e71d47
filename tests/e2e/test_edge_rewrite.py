"""tenantry_rewrite: the application's path, which the visitor neither sees nor chooses."""

import urllib.parse

import pytest

from support import web
from support.nginx import TENANTS, Nginx, nginx, tools  # noqa: F401 (fixtures)
from support.upstream import value

SERVER = """
merge_slashes %s;
server {
    listen 127.0.0.1:@port@; tenantry on;
    tenantry_strategy host path;
    tenantry_rewrite /$tenant_domain$uri;
    location / { proxy_pass http://app; }
    location /plain/ { tenantry_rewrite off; proxy_pass http://app; }
    location /slug/ { tenantry_rewrite /s/${tenant_slug}$uri; proxy_pass http://app; }
    location /with-uri/ { proxy_pass http://app/ignored/; }
    location /variable/ { set $target app; proxy_pass http://$target; }
    location /once/ { rewrite ^/once/(.*)$ /twice/$1 last; }
    location /twice/ { proxy_pass http://app; }
    location /broken/ { rewrite ^/broken/(.*)$ /mended/$1 break; proxy_pass http://app; }
    location /tried/ { root @folder@/nothing; try_files $uri @app; }
    location /bounced/ { proxy_pass http://app; proxy_intercept_errors on; error_page 404 = @app; }
    location @app { proxy_pass http://app; }
    location /page/ { proxy_pass http://app; proxy_intercept_errors on; error_page 404 = /found; }
    location /setting/ { tenantry_rewrite $tenant_setting_root$uri; proxy_pass http://app; }
    location /checked/ { auth_request /auth; proxy_pass http://app; }
    location = /auth { internal; proxy_pass http://app; }
}
"""


def start(tools, merge_slashes):
    edge = Nginx(tools)
    edge.write()
    edge.configure(SERVER % merge_slashes)
    return edge.start()


@pytest.fixture(scope="module", params=["on", "off"])
def rewriting(tools, request):
    edge = start(tools, request.param)
    edge.merges_slashes = request.param == "on"
    yield edge
    edge.close()


def ask(edge, path, host="demo.localhost"):
    """The answer, and the path that reached the application, None when none did."""
    before = len(edge.upstream.seen)
    answer = edge.raw(b"GET " + path.encode("latin-1") + b" HTTP/1.1\r\nHost: " + host.encode() + b"\r\nConnection: close\r\n\r\n")
    seen = edge.upstream.seen[before:]
    assert len(seen) < 2
    return answer, seen[0]["path"] if seen else None


@pytest.mark.parametrize(
    ("sent", "reached"),
    [
        ("/", "/demo.localhost/"),
        ("/path", "/demo.localhost/path"),
        ("/a/b/?c=d&e=%2F", "/demo.localhost/a/b/?c=d&e=%2F"),
        ("/?", "/demo.localhost/"),
        ("/a%20b", "/demo.localhost/a%20b"),
        ("/caf%C3%A9", "/demo.localhost/caf%C3%A9"),
        ("/caf\u00c3\u00a9", "/demo.localhost/caf%C3%A9"),
        ("/%41", "/demo.localhost/A"),
        ("/a%3Fb?c", "/demo.localhost/a%3Fb?c"),
        ("/a%23b", "/demo.localhost/a%23b"),
        ("/100%25", "/demo.localhost/100%25"),
        ("/a;b=c", "/demo.localhost/a;b=c"),
        ("/a+b", "/demo.localhost/a+b"),
        ("/a%0d%0aX-Tenant-Id:%20x", "/demo.localhost/a%0D%0AX-Tenant-Id:%20x"),
        ("/a/../b", "/demo.localhost/b"),
        ("/a/./b", "/demo.localhost/a/b"),
        ("/.../x", "/demo.localhost/.../x"),
        ("/..x/.y", "/demo.localhost/..x/.y"),
        ("/slug/x", "/s/demo/slug/x"),
        ("/plain/%2e/x", "/plain/%2e/x"),
        ("/with-uri/x", "/demo.localhost/with-uri/x"),
        ("/variable/x?y", "/demo.localhost/variable/x?y"),
        ("/once/x?y", "/demo.localhost/twice/x?y"),
        ("/broken/x?y", "/demo.localhost/mended/x?y"),
        ("/tried/x?y", "/demo.localhost/tried/x?y"),
    ],
)
def test_path(rewriting, sent, reached):
    answer, path = ask(rewriting, sent)
    assert (answer.status, path) == (200, reached)
    assert answer.header("Location") is None


def climbing():
    """Ways up, written as a visitor may write them, to another tenant's place."""
    dots = ["..", "%2e%2e", ".%2e", "%2E.", "%252e%252e", "..;", "..;a=b", "%2e%2e;", ".%00.", "..%00", "\u00c0\u00ae\u00c0\u00ae", "%c0%ae%c0%ae", "%u002e%u002e", "..%20", "..%09"]
    slashes = ["/", "%2f", "%2F", "%252f", "\\", "%5c", "//", "/./", ";/", "%00/", "/%00", "%c0%af", "%ef%bc%8f", "?/", "%3f/", "#/", "%0a/"]
    for dot in dots:
        for slash in slashes:
            yield f"/{dot}{slash}other.localhost/x"
            yield f"/a{slash}{dot}{slash}{dot}{slash}other.localhost/x"
            yield f"/{dot}{slash}{dot}{slash}{dot}{slash}other.localhost{slash}x"
            yield f"{slash}{dot}{slash}other.localhost/x"
    yield from ("//other.localhost/x", "///other.localhost", "/./other.localhost", "/%2fother.localhost", "/\\other.localhost",
                "/..", "/../", "/.", "/a/..", "/%2e", "/;/../other.localhost", "/other.localhost/..;/../x")


def readings(path):
    """Where an application may think that this path leads: it may decode it once more, take
    backslashes for slashes, drop parameters, merge slashes, resolve dots."""
    for decoded in (path, urllib.parse.unquote(path, "latin-1")):
        for text in (decoded, decoded.replace("\\", "/")):
            for cut in (text, "/".join(segment.partition(";")[0] for segment in text.split("/"))):
                parts = []
                for segment in cut.split("/"):
                    if segment == "..":
                        parts = parts[:-1]
                    elif segment not in ("", "."):
                        parts.append(segment)
                yield parts


def test_no_way_leads_out_of_the_tenants_place(rewriting):
    reached = 0
    for sent in climbing():
        for prefix in ("", "/slug", "/with-uri", "/variable", "/tried"):
            if prefix and not sent.startswith("/"):
                continue
            answer, path = ask(rewriting, prefix + sent)
            if path is None:
                assert answer.status in (400, 404), (prefix + sent, answer)
                continue
            reached += 1
            path = path.partition("?")[0]
            first = {"s": ["s", "demo"]}
            for parts in readings(path):
                own = first.get(parts[0] if parts else "", ["demo.localhost"])
                assert parts[: len(own)] == own, f"{prefix + sent!r} reached {path!r}, which may be read as {parts}"
    assert reached > 300


def test_way_up_within_the_tenants_place_is_refused_too(rewriting):
    for sent in ("/a/..;/b", "/a\\..\\b", "/..;", "/a/.;/b", "/a%5c..%5cb", "/a%5c.."):
        answer, path = ask(rewriting, sent)
        assert (answer.status, path) == (400, None), sent


def test_two_slashes(rewriting):
    answer, path = ask(rewriting, "//x//y")
    assert path == ("/demo.localhost/x/y" if rewriting.merges_slashes else "/demo.localhost//x//y")


def test_visitors_address_stays_as_it_was(rewriting):
    """What is told to the visitor, and what nginx logs as his request, is his own path."""
    rewriting.upstream.set_answer(302, [("Location", "/elsewhere")])
    answer, path = ask(rewriting, "/path")
    rewriting.upstream.set_answer()
    assert (answer.status, answer.header("Location"), path) == (302, "/elsewhere", "/demo.localhost/path")


def test_second_try_is_not_rewritten_twice(rewriting):
    rewriting.upstream.set_answer(404)
    before = len(rewriting.upstream.seen)
    rewriting.get("demo.localhost", "/bounced/x?y")
    rewriting.upstream.set_answer()
    paths = [seen["path"] for seen in rewriting.upstream.seen[before:]]
    assert paths == ["/demo.localhost/bounced/x?y"] * 2


def test_error_page_is_rewritten_as_itself(rewriting):
    rewriting.upstream.set_answer(404)
    before = len(rewriting.upstream.seen)
    rewriting.get("demo.localhost", "/page/x")
    rewriting.upstream.set_answer()
    paths = [seen["path"] for seen in rewriting.upstream.seen[before:]]
    assert paths == ["/demo.localhost/page/x", "/demo.localhost/found"]


def test_subrequest_is_rewritten_by_its_own_location(rewriting):
    before = len(rewriting.upstream.seen)
    rewriting.get("demo.localhost", "/checked/x")
    paths = [seen["path"] for seen in rewriting.upstream.seen[before:]]
    assert paths == ["/demo.localhost/auth", "/demo.localhost/checked/x"]


def test_path_that_names_the_tenant_is_taken_off(rewriting):
    for sent, reached in {"/t/demo/a?b": "/localhost/a?b", "/t/demo": "/localhost/", "/t/demo/": "/localhost/"}.items():
        answer, path = ask(rewriting, sent, "localhost:3000")
        assert (answer.status, path) == (200, reached)
        assert value(rewriting.upstream.seen[-1], "X-Tenant-Slug") == "demo"
        assert value(rewriting.upstream.seen[-1], "X-Tenant-Resolved-By") == "path"


def test_path_of_an_unknown_tenant(rewriting):
    assert ask(rewriting, "/t/nobody/x", "localhost")[0].status == 404


@pytest.mark.parametrize("sent", ["/other.localhost/x", "/", "/demo.localhost", "//other.localhost/x"])
def test_platform_host_reaches_no_tenants_place(rewriting, sent):
    """A template that needs a tenant would leave the choice of the path to the visitor."""
    answer, path = ask(rewriting, sent, "localhost")
    assert (answer.status, path) == (404, None)
    assert answer.json()["code"] == "no_tenant"


def test_platform_host_where_nothing_is_rewritten(rewriting):
    assert ask(rewriting, "/plain/x", "localhost")[1] == "/plain/x"


def test_unknown_host_reaches_no_tenants_place_by_an_error_page(nginx):
    nginx.write()
    nginx.configure(
        """
        server {
            listen 127.0.0.1:@port@; tenantry on; tenantry_answers off; tenantry_rewrite /$tenant_domain$uri;
            error_page 400 403 404 @app;
            location / { proxy_pass http://app; }
            location @app { proxy_pass http://app; }
        }
        """
    )
    nginx.start()
    for host, status in {"nobody.localhost": 404, "blocked.localhost": 403, "localhost": 404, "a..b": 400}.items():
        answer, path = ask(nginx, "/other.localhost/x", host)
        assert (answer.status, path) == (status, None), host


def test_template_by_a_map_serves_the_platform_too(nginx):
    nginx.write()
    nginx.configure(
        """
        map $tenant_slug $place { "" platform; default tenants/$tenant_slug; }
        server {
            listen 127.0.0.1:@port@; tenantry on; tenantry_rewrite /$place$uri;
            location / { proxy_pass http://app; }
        }
        """
    )
    nginx.start()
    assert ask(nginx, "/x", "localhost")[1] == "/platform/x"
    assert ask(nginx, "/x")[1] == "/tenants/demo/x"


def test_setting_in_a_template_leads_nowhere_else(nginx):
    def tenants(root):
        return [dict(TENANTS[0], settings={"root": root} if root is not None else {})]

    nginx.write(tenants=tenants("/site a?#%"))
    nginx.configure(SERVER % "on")
    nginx.start()
    assert ask(nginx, "/setting/x?y")[1] == "/site%20a%3F%23%25/setting/x?y"
    for root, status in {"/../other.localhost": 400, "other.localhost": 500}.items():
        nginx.change(tenants=tenants(root))
        answer, path = ask(nginx, "/setting/x")
        assert (answer.status, path) == (status, None)
    # without the setting what is left is the visitor's own path
    nginx.change(tenants=tenants(None))
    assert ask(nginx, "/setting/x")[1] == "/setting/x"


def test_rewrite_keeps_to_a_cache_and_a_kept_connection(nginx):
    nginx.write()
    nginx.configure(
        """
        proxy_cache_path @folder@/cache keys_zone=z:1m;
        server {
            listen 127.0.0.1:@port@; tenantry on; tenantry_rewrite /$tenant_domain$uri;
            location / {
                proxy_pass http://app; proxy_cache z; proxy_cache_valid 1m;
                proxy_cache_key $tenant_id$scheme$host$request_uri;
                add_header X-Cache $upstream_cache_status;
            }
        }
        """
    )
    nginx.start()
    first = nginx.get("demo.localhost", "/x")
    again = nginx.get("demo.localhost", "/x")
    other = nginx.get("other.localhost", "/x")
    assert [a.header("X-Cache") for a in (first, again, other)] == ["MISS", "HIT", "MISS"]
    assert again.json()["path"] == "/demo.localhost/x"
    assert other.json()["path"] == "/other.localhost/x"
    request = "GET /{} HTTP/1.1\r\nHost: {}.localhost\r\n{}\r\n"
    web.raw(nginx.port, (request.format(1, "demo", "") + request.format(2, "other", "Connection: close\r\n")).encode())
    assert [seen["path"] for seen in nginx.upstream.seen[-2:]] == ["/demo.localhost/1", "/other.localhost/2"]
