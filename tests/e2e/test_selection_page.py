"""The page that lets a visitor choose a tenant."""

import html
import html.parser
import re

from support.system import DEMO

PAGE = "/auth/tenant-selection"


class Links(html.parser.HTMLParser):
    """Every link with its text, every tag, and every attribute that could run something."""

    def __init__(self, text):
        super().__init__()
        self.links, self.tags, self.handlers, self._open = {}, [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.handlers += [name for name, value in attributes if name.startswith("on")]
        if tag == "a":
            self._open = dict(attributes)["href"]
            self.links[self._open] = ""

    def handle_endtag(self, tag):
        if tag == "a":
            self._open = None

    def handle_data(self, data):
        if self._open is not None:
            self.links[self._open] += data


def selection(system):
    answer = system.get(system.host(), PAGE, [("Accept", "text/html")])
    assert answer.status == 200
    return Links(answer.text), answer


def test_links_have_the_right_scheme_and_port(system):
    links, _ = selection(system)
    for slug in DEMO:
        name = system.json("tenant", "show", slug)["tenant"]["name"]
        found = [
            text
            for href, text in links.links.items()
            if href.rstrip("/") == f"http://{slug}.localhost:{system.port}"
        ]
        assert len(found) == 1 and name in found[0], links.links


def test_public_url_decides_scheme_and_port_of_links(new_system):
    system = new_system().start(environment={"TENANTRY_PUBLIC_URL": "https://localhost:8443"})
    links, answer = selection(system)
    for slug in DEMO:
        assert any(
            href.rstrip("/") == f"https://{slug}.localhost:8443" for href in links.links
        ), links.links
    assert "http://demo" not in answer.text
    assert system.json("tenant", "show", "demo")["tenant"]["url"] == "https://demo.localhost:8443"


def test_only_listed_and_active_tenants_are_there(system, make_tenant):
    shown, unlisted = make_tenant(listed=True), make_tenant(listed=False)
    closed = {
        status: make_tenant(listed=True) for status in ("suspended", "archived", "maintenance")
    }

    def slugs():
        links, _ = selection(system)
        return {
            match[1]
            for href in links.links
            if (match := re.match(r"http://([^.]+)\.localhost", href))
        }

    assert slugs() >= {*DEMO, shown, *closed.values()} and unlisted not in slugs()
    for status, slug in closed.items():
        system.api("PATCH", f"/v1/tenants/{slug}", {"status": status})
        assert slug not in slugs()
    system.run("tenant", "set", shown, "--unlisted")
    assert shown not in slugs()
    system.run("tenant", "set", unlisted, "--listed")
    assert unlisted in slugs()


def test_renamed_tenant_is_linked_at_its_new_name(system, make_tenant):
    slug = make_tenant(listed=True)
    system.run("tenant", "rename", slug, f"{slug}-b")
    links, _ = selection(system)
    assert f"//{slug}-b.localhost" in "".join(links.links) and f"//{slug}.localhost" not in "".join(
        links.links
    )


def test_it_says_how_to_set_up_names_with_the_lines_to_copy(system):
    _, answer = selection(system)
    text = html.unescape(re.sub(r"<[^>]+>", "", answer.text))
    for slug in DEMO:
        assert re.search(rf"127\.0\.0\.1\s+(\S+\s+)*{slug}\.localhost", text), text
    assert re.search(r"\*\.[a-z.]+", text)
    hosts = [line for line in system.run("hosts").splitlines() if line.startswith("127.0.0.1")]
    for line in hosts:
        if any(f"{slug}.localhost" in line for slug in DEMO):
            assert re.sub(r"\s+", " ", line.strip()) in re.sub(r"[ \t]+", " ", text)


MARKUP = [
    '<script>alert("owned")</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!-- <style> & &lt;b&gt; -->",
    "</title></a></main><h1>x",
    "{{7*7}} ${7*7} $tenant_id",
]


def test_a_name_cannot_bring_markup_of_its_own(system, make_tenant):
    harmless, _ = selection(system)
    for name in MARKUP:
        slug = make_tenant(
            name=name, listed=True, settings={"title": name, "color": name, "welcome": name}
        )
        links, answer = selection(system)
        assert not links.handlers, name
        assert set(links.tags) == set(harmless.tags), name
        href = next(href for href in links.links if f"//{slug}.localhost" in href)
        assert (
            name.strip() in links.links[href]
        ), f"{name!r} should be readable: {links.links[href]!r}"
        page = system.page(slug)
        home = Links(page.text)
        assert page.status == 200
        assert (
            "<script>alert" not in page.text and "<img src=x" not in page.text and not home.handlers
        )
    system.api("PATCH", f"/v1/tenants/{slug}", {"listed": False})


def test_page_works_without_scripts_and_lets_nobody_frame_it(system):
    links, answer = selection(system)
    assert "script" not in links.tags
    policy = answer.header("Content-Security-Policy") or ""
    assert "default-src" in policy and "frame-ancestors" in policy
    assert answer.header("X-Content-Type-Options") == "nosniff"


def test_more_tenants_than_a_page_can_hold_are_found_by_searching(own_system):
    system = own_system
    connection = system.connect()
    for number in range(400):
        body = {"slug": f"many-{number:03}", "name": f"Number {number} of many", "listed": True}
        assert system.api("POST", "/v1/tenants", body, connection=connection).status == 201
    connection.close()

    def linked(query=""):
        answer = system.get(system.host(), PAGE + query)
        assert answer.status == 200 and len(answer.body) < 256 * 1024
        links = Links(answer.text)
        assert "form" in links.tags
        return {
            match[1]
            for href in links.links
            if (match := re.match(r"http://([^.]+)\.localhost", href))
        }

    assert 100 <= len(linked()) < 403
    assert linked("?q=many-399") == {"many-399"}
    assert linked("?q=Number%20399%20of") == {"many-399"}
    assert linked("?q=NUMBER+398+OF") == {"many-398"}
    assert linked("?q=nothing-like-this") == set()
    page = system.get(system.host(), PAGE + "?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert page.status == 200 and "<script" not in page.text
