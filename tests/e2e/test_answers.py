"""What a visitor or a program gets instead of the application: problem documents (RFC 9457) and
pages, in the language that was asked for."""

import html.parser

import pytest

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

# status of the tenant → what its hosts answer
CLOSED = {
    "suspended": (403, "tenant_suspended"),
    "archived": (410, "tenant_archived"),
    "maintenance": (503, "tenant_maintenance"),
}


def assert_problem(answer, status, code, instance):
    """A whole problem document and nothing else."""
    assert answer.status == status, answer
    assert answer.type == "application/problem+json", answer
    document = answer.json()
    assert sorted(document) == ["code", "detail", "instance", "status", "title", "type"], document
    assert document["type"] == f"urn:tenantry:problem:{code}"
    assert document["status"] == status
    assert document["code"] == code
    assert document["instance"] == instance
    assert document["title"] and document["detail"]
    assert int(answer.header("Content-Length")) == len(answer.body)


class Page(html.parser.HTMLParser):
    """A page's language, title and tags; fails on markup that does not nest."""

    VOID = {"meta", "link", "br", "img", "hr", "input"}

    def __init__(self, text):
        super().__init__()
        self.language, self.title, self.open, self.tags = None, "", [], []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "html":
            self.language = dict(attributes).get("lang")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> within {self.open}"
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "title":
            self.title += data


def assert_page(answer, status, language):
    assert answer.status == status, answer
    assert answer.type == "text/html", answer
    assert "charset=utf-8" in answer.header("Content-Type").lower()
    assert answer.text.lstrip().lower().startswith("<!doctype html>")
    page = Page(answer.text)
    assert page.language == language, answer.text
    assert page.title
    assert answer.header("Content-Language") in (None, language)
    varies = {name.strip().lower() for name in (answer.header("Vary") or "").split(",")}
    assert "accept-language" in varies, answer
    return page


@pytest.fixture
def closed_tenant(make_tenant, system):
    def make(status):
        slug = make_tenant()
        assert system.api("PATCH", f"/v1/tenants/{slug}", {"status": status}).status == 200
        return slug

    return make


# ---- problem documents ----


def test_no_tenant_is_a_problem_document(system):
    answer = system.get(system.host(), "/api/tenant/current")
    assert_problem(answer, 404, "no_tenant", "/api/tenant/current")


@pytest.mark.parametrize("path", ["/api/tenant/current", "/api/other", "/api/deep/er?a=b"])
def test_unknown_tenant_is_a_problem_document_for_api_paths(system, path):
    answer = system.page("nobody", path, headers=[("Accept", BROWSER)])
    assert_problem(answer, 404, "unknown_tenant", path.split("?")[0])


@pytest.mark.parametrize("path", ["/", "/a/b", "/whoami"])
def test_unknown_tenant_is_a_problem_document_for_programs(system, path):
    answer = system.page("nobody", path, headers=[("Accept", "application/json")])
    assert_problem(answer, 404, "unknown_tenant", path)


@pytest.mark.parametrize("status", CLOSED)
def test_closed_tenant_is_a_problem_document(system, closed_tenant, status):
    expected, code = CLOSED[status]
    slug = closed_tenant(status)
    for path in ("/api/tenant/current", "/"):
        answer = system.page(slug, path, headers=[("Accept", "application/json")])
        assert_problem(answer, expected, code, path)
        retry = answer.header("Retry-After")
        assert (retry is not None and int(retry) > 0) if expected == 503 else retry is None


def test_bad_host_is_a_problem_document(system):
    answer = system.get("demo_x.localhost", "/api/x")
    assert_problem(answer, 400, "invalid_host", "/api/x")


def test_unknown_api_path_of_a_tenant_is_the_applications(system):
    """Only the routes that are ours are ours: the rest of /api belongs to the application."""
    answer = system.page("demo", "/api/of-the-application")
    assert answer.status == 404
    assert "urn:tenantry:problem" not in answer.text or answer.json()["code"] == "not_found"


def test_wrong_method_is_a_problem_document_with_allow(system):
    answer = system.http(system.host("demo"), "/api/tenant/current", "DELETE")
    assert_problem(answer, 405, "method_not_allowed", "/api/tenant/current")
    assert "GET" in answer.header("Allow")


def test_nothing_secret_or_of_the_machine_is_in_an_answer(system):
    for answer in (
        system.page("nobody", "/api/x"),
        system.page("nobody", "/", headers=[("Accept", BROWSER)]),
        system.get(system.host(), "/api/tenant/cache"),
        system.get(system.host(), "/auth/tenant-selection"),
    ):
        assert str(system.state) not in answer.text
        assert system.token not in answer.text


# ---- pages ----


@pytest.mark.parametrize("accept", [BROWSER, "text/html", "text/html;q=0.1, application/json;q=0"])
def test_browser_gets_a_page(system, accept):
    assert_page(system.page("nobody", "/", headers=[("Accept", accept)]), 404, "en")


@pytest.mark.parametrize(
    "accept", ["application/json", "text/html;q=0, */*", "application/problem+json", "image/png"]
)
def test_program_gets_a_document(system, accept):
    answer = system.page("nobody", "/", headers=[("Accept", accept)])
    assert_problem(answer, 404, "unknown_tenant", "/")


@pytest.mark.parametrize(
    "wanted, language",
    [
        (None, "en"),
        ("", "en"),
        ("fr", "fr"),
        ("FR", "fr"),
        ("fr-CA", "fr"),
        ("fr-FR,fr;q=0.9,en-US;q=0.8,en;q=0.7", "fr"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("fr;q=0.5,en;q=0.4", "fr"),
        ("fr;q=0.4,en;q=0.5", "en"),
        ("en;q=0,fr;q=0.1", "fr"),
        ("fr;q=0", "en"),
        ("fr;q=0.000,en;q=0.001", "en"),
        ("de, fr;q=0.3", "fr"),
        ("de, ja", "en"),
        ("*", "en"),
        ("fro", "en"),
        ("de;q=0.9 , FR-be ; q=0.8", "fr"),
        (";;;,,,q=1", "en"),
    ],
)
def test_page_is_in_the_language_that_was_asked_for(system, wanted, language):
    headers = [("Accept", BROWSER)] + ([("Accept-Language", wanted)] if wanted is not None else [])
    page = assert_page(system.page("nobody", "/", headers=headers), 404, language)
    assert page
    selection = system.get(system.host(), "/auth/tenant-selection", headers)
    assert_page(selection, 200, language)


@pytest.mark.parametrize("status", CLOSED)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_closed_tenants_page_speaks_the_language(system, closed_tenant, status, language):
    slug = closed_tenant(status)
    headers = [("Accept", BROWSER), ("Accept-Language", language)]
    assert_page(system.page(slug, "/", headers=headers), CLOSED[status][0], language)


def test_pages_in_both_languages_say_it_in_their_own_words(system):
    def text(language):
        headers = [("Accept", BROWSER), ("Accept-Language", language)]
        return system.page("nobody", "/", headers=headers).text

    assert text("fr") != text("en").replace('lang="en"', 'lang="fr"')


def test_page_does_not_echo_markup_from_the_path_or_the_host(system):
    path = "/%3Cscript%3Ealert(1)%3C/script%3E?q=<img%20src=x>"
    answer = system.page("nobody", path, headers=[("Accept", BROWSER)])
    assert_page(answer, 404, "en")
    assert "<script>alert" not in answer.text and "<img src=x" not in answer.text


# ---- HEAD ----


@pytest.mark.parametrize(
    "slug, path, status",
    [
        ("demo", "/", 200),
        ("demo", "/api/tenant/current", 200),
        ("nobody", "/", 404),
        ("nobody", "/api/tenant/current", 404),
        (None, "/auth/tenant-selection", 200),
        (None, "/api/tenant/cache", 200),
    ],
)
def test_head_answers_like_get_without_a_body(system, slug, path, status):
    get = system.http(system.host(slug), path, "GET", [("Accept", BROWSER)])
    head = system.http(system.host(slug), path, "HEAD", [("Accept", BROWSER)])
    assert (get.status, head.status) == (status, status)
    assert head.body == b""
    assert head.type == get.type
    assert get.body


def test_head_sends_no_byte_of_a_body(system):
    answer = system.raw(
        "HEAD /api/tenant/current HTTP/1.1\r\nHost: nobody.localhost\r\nConnection: close\r\n\r\n".encode()
    )
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 404 " in head.splitlines()[0] and body == b""


# ---- redirects ----


@pytest.mark.parametrize(
    "host_suffix, path, location_suffix",
    [
        (".localhost:{port}", "/", ".localhost:{port}/"),
        (".localhost", "/x", ".localhost/x"),
        (".LOCALHOST.:8443", "/a/../b?x=%2e%2E&y", ".localhost:8443/a/../b?x=%2e%2E&y"),
        (".localhost:{port}", "/a%20b/%C3%A9?q=a+b", ".localhost:{port}/a%20b/%C3%A9?q=a+b"),
        (".localhost:{port}", "//evil.example/x", ".localhost:{port}/evil.example/x"),
    ],
)
def test_former_name_redirects_with_path_query_and_port(
    system, make_tenant, host_suffix, path, location_suffix
):
    slug = make_tenant()
    system.run("tenant", "rename", slug, f"{slug}-now")
    host = slug + host_suffix.format(port=system.port)
    for method in ("GET", "HEAD", "POST"):
        answer = system.http(host, path, method, body=b"" if method == "POST" else None)
        assert answer.status == 308, answer
        assert answer.header("Location") == f"http://{slug}-now" + location_suffix.format(
            port=system.port
        )


def test_redirect_cannot_be_split_by_what_the_visitor_sends(system, make_tenant):
    slug = make_tenant()
    system.run("tenant", "rename", slug, f"{slug}-now")
    answer = system.page(slug, "/%0d%0aSet-Cookie:%20a=b")
    assert answer.status == 308
    assert answer.header("Set-Cookie") is None
    assert "\r" not in answer.header("Location") and "\n" not in answer.header("Location")
