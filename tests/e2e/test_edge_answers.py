"""What visitors get instead of the application: pages, problem documents, bare statuses, redirects."""

import html.parser
import http.client
import json
import socket
import ssl
import subprocess

import pytest

from support import http2, web
from support.nginx import TENANTS, edge, nginx, tools  # noqa: F401 (fixtures)

ANSWERS = [
    # host, status, code, Retry-After
    ("nobody.localhost", 404, "unknown_tenant", None),
    ("127.0.0.1", 404, "unknown_tenant", None),
    ("blocked.localhost", 403, "tenant_suspended", None),
    ("gone.localhost", 410, "tenant_archived", None),
    ("resting.localhost", 503, "tenant_maintenance", "30"),
    ("de_mo.localhost", 400, "invalid_host", None),
]
MEMBERS = {"type", "title", "status", "detail", "instance", "code"}
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Page(html.parser.HTMLParser):
    """What a page has in it."""

    def __init__(self, text):
        super().__init__()
        self.language, self.tags, self.texts, self.attributes, self._open = None, [], {}, [], []
        self.feed(text)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, text) for name, text in attributes]
        if tag == "html":
            self.language = dict(attributes)["lang"]
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and data.strip():
            self.texts.setdefault(self._open[-1], []).append(data.strip())


@pytest.mark.parametrize(("host", "status", "code", "retry"), ANSWERS)
def test_problem_document(edge, host, status, code, retry):
    before = len(edge.upstream.seen)
    answer = edge.get(host, "/some/path?and=query")
    assert answer.status == status
    assert answer.type == "application/problem+json"
    document = answer.json()
    assert set(document) == MEMBERS
    assert (document["status"], document["code"]) == (status, code)
    assert document["type"] == f"urn:tenantry:problem:{code}"
    assert document["instance"] == "/some/path"
    assert document["title"] and document["detail"]
    assert answer.header("Retry-After") == retry
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Vary") == "Accept, Accept-Language"
    assert answer.header("Content-Length") == str(len(answer.body))
    assert len(edge.upstream.seen) == before


@pytest.mark.parametrize(("host", "status", "code", "retry"), ANSWERS)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_page(edge, host, status, code, retry, language):
    answer = edge.get(host, "/", PAGE | {"Accept-Language": language})
    assert answer.status == status
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert answer.header("Retry-After") == retry
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Vary") == "Accept, Accept-Language"
    page = Page(answer.text)
    assert page.language == language
    assert page.texts["title"] == page.texts["h1"] and len(page.texts["h1"]) == 1
    assert str(status) in page.texts["p"]
    assert len(page.texts["p"]) == 2 and page.texts["p"][1].endswith(".")
    assert ("meta", "content", "noindex") in page.attributes
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert not any(name.startswith("on") or name in ("src", "href") for _, name, _ in page.attributes)
    assert "@import" not in answer.text and "url(" not in answer.text


def test_pages_differ_by_what_happened_and_language(edge):
    pages = {
        (host, language): edge.get(host, "/", PAGE | {"Accept-Language": language}).text
        for host, *_ in ANSWERS[1:]
        for language in ("fr", "en")
    }
    assert len(set(pages.values())) == len(pages)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "en"),
        ("fr", "fr"),
        ("FR-ca", "fr"),
        ("fr-CA,fr;q=0.8,en;q=0.5", "fr"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("fr;q=0.8,en;q=0.9", "en"),
        ("fr;q=0.9, en;q=0.8", "fr"),
        ("fr ; q=0.9 , en ; q=0.85", "fr"),
        ("fr,en", "fr"),
        ("en,fr", "en"),
        ("de,fr;q=0.3,*;q=0.2", "fr"),
        ("en;q=0,*", "fr"),
        ("fr;q=0", "en"),
        ("*", "en"),
        ("fr;q=0.001,en;q=0", "fr"),
        ("frx,en", "en"),
        ("fr;q=,en", "fr"),
        ("fr;q=x,en", "en"),
        (",,;;,fr", "fr"),
        ("fr;q", "fr"),
        ("fr;q=1", "fr"),
        ("en;q=1.0,fr;q=0.999", "en"),
        ("f", "en"),
    ],
)
def test_language(edge, header, language):
    headers = PAGE | ({} if header is None else {"Accept-Language": header})
    assert Page(edge.get("nobody.localhost", "/", headers).text).language == language


def test_language_from_several_lines(edge):
    headers = [("Accept", "text/html"), ("Accept-Language", "en;q=0.5"), ("Accept-Language", "fr")]
    assert Page(edge.get("nobody.localhost", "/", headers).text).language == "fr"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/problem+json"),
        ("*/*", "application/problem+json"),
        ("text/*", "application/problem+json"),
        ("text/html", "text/html"),
        ("TEXT/HTML;level=1", "text/html"),
        ("application/json, text/html;q=0.1", "text/html"),
        ("text/html;q=0", "application/problem+json"),
        ("text/html;q=0.000, */*", "application/problem+json"),
        ("text/htmlx", "application/problem+json"),
        ("application/json", "application/problem+json"),
    ],
)
def test_page_or_problem(edge, accept, kind):
    headers = {} if accept is None else {"Accept": accept}
    assert edge.get("nobody.localhost", "/", headers).type == kind


def test_problem_prefixes(nginx):
    nginx.write()
    nginx.configure(server="tenantry on; tenantry_problem_prefix /api/ /v1/; tenantry_problem_prefix /rpc;")
    nginx.start()
    for path, kind in {
        "/api/": "application/problem+json",
        "/v1/x": "application/problem+json",
        "/rpc": "application/problem+json",
        "/rpcs": "application/problem+json",
        "/%61pi/x": "application/problem+json",
        "/api": "text/html",
        "/other/api/": "text/html",
    }.items():
        assert nginx.get("nobody.localhost", path, PAGE).type == kind, path


@pytest.mark.parametrize("path", ["/%22%5c%0a%3Cb%3E", "/é".encode().decode("latin-1"), "/%ff%fe", '/a"b', "/a%00b", "/\\"])
def test_problem_document_is_json_whatever_the_path(edge, path):
    answer = edge.raw(f"GET {path} HTTP/1.1\r\nHost: nobody.localhost\r\nConnection: close\r\n\r\n".encode("latin-1"))
    if answer.status == 400:
        assert "%00" in path
        return
    document = json.loads(answer.body)
    assert document["instance"].startswith("/") and document["instance"].isascii()


def test_nothing_of_the_request_is_in_a_page(edge):
    answer = edge.get("marker-host.localhost", "/marker-path?marker-query", PAGE | {"X-Marker": "marker-header"})
    assert answer.status == 404 and "marker" not in answer.text


def test_head_has_no_body(edge):
    for headers in (PAGE, {}):
        whole = edge.get("nobody.localhost", "/", headers)
        head = edge.get("nobody.localhost", "/", headers, method="HEAD")
        assert (head.status, head.body) == (404, b"")
        assert head.header("Content-Length") == str(len(whole.body))
        assert head.header("Content-Type") == whole.header("Content-Type")


def test_body_of_a_refused_request_is_read_past(edge):
    """The connection goes on with the next request, and its body is not taken for one."""
    body = b"GET /smuggled HTTP/1.1\r\nHost: demo.localhost\r\n\r\n"
    one = b"POST / HTTP/1.1\r\nHost: nobody.localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
    two = b"GET /second HTTP/1.1\r\nHost: demo.localhost\r\nConnection: close\r\n\r\n"
    before = len(edge.upstream.seen)
    answers = web.raw(edge.port, one + body + two)
    assert answers.startswith(b"HTTP/1.1 404 ") and b'"/second"' in answers
    assert [seen["path"] for seen in edge.upstream.seen[before:]] == ["/second"]


def test_refused_request_is_not_asked_for_its_body(edge):
    with socket.create_connection(("127.0.0.1", edge.port), timeout=5) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: nobody.localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 404 ")


def test_answers_over_http2(nginx):
    port = nginx.new_port()
    nginx.write()
    nginx.configure("server { listen 127.0.0.1:%d http2; tenantry on; location / { proxy_pass http://app; } }" % port)
    nginx.start()
    assert http2.get(port, "blocked.localhost").json()["code"] == "tenant_suspended"
    answer = http2.get(port, "old-demo.localhost:3000", "/a//b?c=%20")
    assert (answer.status, answer.header("location")) == (308, "http://demo.localhost:3000/a//b?c=%20")


# ---- no way around them ----


def test_nothing_in_a_server_comes_before_the_answers(nginx):
    nginx.write()
    nginx.configure(
        """
        server {
            listen 127.0.0.1:@port@; tenantry on;
            if ($arg_x) { return 200 by-server-if; }
            rewrite ^/rewritten$ /returned;
            location /returned { return 200 by-location; }
            location = /empty { return 204; }
            location / { proxy_pass http://app; }
        }
        server { listen 127.0.0.1:@port@; server_name other.localhost; tenantry on; return 200 by-server; }
        """
    )
    nginx.start()
    for host, status, code, _ in ANSWERS[:-1]:
        for path in ("/returned", "/rewritten", "/empty", "/?x=1", "/"):
            answer = nginx.get(host, path)
            assert (answer.status, answer.json()["code"]) == (status, code), (host, path)
    assert nginx.get("demo.localhost", "/returned").text == "by-location"
    assert nginx.get("demo.localhost", "/?x=1").text == "by-server-if"
    assert nginx.get("other.localhost").text == "by-server"
    assert nginx.upstream.seen == []


def test_server_without_a_location(nginx):
    nginx.write()
    nginx.configure("server { listen 127.0.0.1:@port@; tenantry on; return 200 returned; }")
    nginx.start()
    assert nginx.get("nobody.localhost").status == 404
    assert nginx.get("demo.localhost").text == "returned"


# ---- bare statuses ----


def test_answers_off_leaves_the_body_to_the_operator(nginx):
    nginx.write()
    nginx.configure(
        """
        tenantry_answers off;
        server {
            listen 127.0.0.1:@port@; tenantry on;
            error_page 404 /404.txt;
            error_page 403 @suspended;
            error_page 503 =200 /503.txt;
            location / { proxy_pass http://app; }
            location = /404.txt { return 200 "their own 404"; }
            location = /503.txt { return 200 "their own 503 for $tenant_slug"; }
            location @suspended { return 403 "their own 403 for $tenant_slug"; }
        }
        """
    )
    nginx.start()
    answer = nginx.get("nobody.localhost", "/x", PAGE)
    assert (answer.status, answer.text) == (404, "their own 404")
    answer = nginx.get("blocked.localhost", "/x")
    assert (answer.status, answer.text) == (403, "their own 403 for blocked")
    answer = nginx.get("resting.localhost", "/x")
    assert (answer.status, answer.text) == (200, "their own 503 for resting")
    answer = nginx.get("gone.localhost", "/x", PAGE)
    assert answer.status == 410 and b"410 Gone" in answer.body
    assert nginx.upstream.seen == []


def test_bare_503_says_when_to_come_back(nginx):
    nginx.write()
    nginx.configure(server="tenantry on; tenantry_answers off;")
    nginx.start()
    answer = nginx.get("resting.localhost")
    assert (answer.status, answer.header("Retry-After")) == (503, "30")


def test_retry_after(nginx):
    nginx.write()
    nginx.configure(server="tenantry on; tenantry_retry_after 2m;")
    nginx.start()
    assert nginx.get("resting.localhost").header("Retry-After") == "120"


def test_error_page_that_the_application_makes_is_told_of_no_tenant(nginx):
    """A suspended tenant's error page may come from the application; nothing there may take it for a
    request of an active tenant."""
    nginx.write()
    nginx.configure(
        """
        server {
            listen 127.0.0.1:@port@; tenantry on; tenantry_answers off; error_page 403 /page;
            location / { proxy_pass http://app; }
        }
        """
    )
    nginx.start()
    assert nginx.get("blocked.localhost", "/x", {"X-Tenant-Id": "forged"}).status == 403
    (seen,) = nginx.upstream.seen
    assert seen["path"] == "/page"
    assert not [name for name, _ in seen["headers"] if name.lower().startswith("x-tenant")]


# ---- redirects ----


@pytest.mark.parametrize(
    ("host", "path", "location"),
    [
        ("old-demo.localhost", "/", "http://demo.localhost/"),
        ("old-demo.localhost:3000", "/a?b=c", "http://demo.localhost:3000/a?b=c"),
        ("OLD-demo.localhost.:80", "/", "http://demo.localhost:80/"),
        ("moved.example:8080", "/x/../y?q=/%2e", "http://www.moved.example:8080/x/../y?q=/%2e"),
        ("moved.localhost", "/x%2F%2e%2e/a;b?c#", "http://www.moved.example/x%2F%2e%2e/a;b?c#"),
        ("old-demo.localhost", "//evil.example/x", "http://demo.localhost/evil.example/x"),
        ("old-demo.localhost", "/\\evil.example", "http://demo.localhost/evil.example"),
        ("old-demo.localhost", "///", "http://demo.localhost/"),
        ("old-demo.localhost", "/?//evil.example", "http://demo.localhost/?//evil.example"),
    ],
)
def test_redirect(edge, host, path, location):
    answer = edge.raw(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert (answer.status, answer.header("Location")) == (308, location)
    assert answer.header("Cache-Control") == "no-cache"


def test_primary_domain_itself_is_served(edge):
    assert edge.get("www.moved.example").status == 200


def test_redirect_keeps_the_method_and_sends_no_line_of_the_visitors(edge):
    answer = edge.raw(b"POST /a%0d%0aSet-Cookie:x HTTP/1.1\r\nHost: old-demo.localhost\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx")
    assert answer.status == 308
    assert answer.header("Set-Cookie") is None
    assert answer.header("Location") == "http://demo.localhost/a%0d%0aSet-Cookie:x"


def test_redirect_under_tls(nginx):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=localhost", "-days", "2",
         "-keyout", nginx.folder / "tls.key", "-out", nginx.folder / "tls.crt"],
        check=True, capture_output=True,
    )
    nginx.write()
    nginx.configure(
        """
        server {
            listen 127.0.0.1:@port@ ssl; tenantry on;
            ssl_certificate @folder@/tls.crt; ssl_certificate_key @folder@/tls.key;
            location / { proxy_pass http://app; }
        }
        """
    )
    nginx.start()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", nginx.port, context=context, timeout=10)
    connection.request("GET", "/a", headers={"Host": "old-demo.localhost:8443"})
    answer = connection.getresponse()
    answer.read()
    assert (answer.status, answer.headers["Location"]) == (308, "https://demo.localhost:8443/a")
    connection.request("GET", "/a", headers={"Host": "demo.localhost"})
    seen = json.loads(connection.getresponse().read())
    connection.close()
    assert ("X-Forwarded-Proto", "https") in [tuple(pair) for pair in seen["headers"]]
