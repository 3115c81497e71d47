"""What the application behind the edge is told, and what nobody outside can make it believe."""

import base64
import json
import re
import subprocess
import time

import pytest

from support import web
from support.system import DEMO

OURS = re.compile(r"^x[-_](tenant|forwarded)[-_]|^forwarded$", re.IGNORECASE)


def told(answer):
    """The headers that reached the application, by their folded names."""
    assert answer.status == 200, answer
    return {
        name.lower().replace("_", "-"): value for name, value in answer.json()["headers"].items()
    }


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


# ---- the rewrite ----


@pytest.mark.parametrize(
    "path",
    ["/whoami", "/whoami?x=1&y=/../z"],
)
def test_path_is_prefixed_with_the_tenants_host(system, path):
    document = system.page("entreprise1", path).json()
    assert document["path"].split("?")[0] == "/entreprise1.localhost/whoami"
    if "?" in path:
        assert path.partition("?")[2] in json.dumps(document)


def test_rewrite_cannot_be_seen(system):
    for path in ("/", "/whoami", "/a/b/c", "/nowhere"):
        answer = system.page("demo", path)
        assert answer.header("Location") is None
        for name, value in answer.headers:
            assert "/demo.localhost" not in value, (name, value)
    for link in re.findall(r'(?:href|src|action)="([^"]*)"', system.page("demo").text):
        assert "demo.localhost" not in link


def test_asking_for_the_prefix_oneself_gets_it_twice(system):
    document = system.page("demo", "/entreprise1.localhost/whoami")
    assert document.status == 404 or document.json()["path"].startswith(
        "/demo.localhost/entreprise1.localhost/"
    )


TRAVERSALS = [
    "/../entreprise1.localhost/whoami",
    "/%2e%2e/entreprise1.localhost/whoami",
    "/..%2fentreprise1.localhost/whoami",
    "/%2e%2e%2fentreprise1.localhost%2fwhoami",
    "/%252e%252e/entreprise1.localhost/whoami",
    "/..%252fentreprise1.localhost/whoami",
    "/a/../../entreprise1.localhost/whoami",
    "/a/%2e%2e/%2e%2e/entreprise1.localhost/whoami",
    "//../entreprise1.localhost/whoami",
    "/..//entreprise1.localhost//whoami",
    "/..;/entreprise1.localhost/whoami",
    "/..\\entreprise1.localhost\\whoami",
    "/..%5centreprise1.localhost%5cwhoami",
    "/%c0%ae%c0%ae/entreprise1.localhost/whoami",
    "/%2e%2e/%2e%2e/%2e%2e/entreprise1.localhost/whoami",
    "/.%2e/entreprise1.localhost/whoami",
    "/%2e./entreprise1.localhost/whoami",
    "/x/..%2f..%2fentreprise1.localhost/whoami",
    "/%00/../entreprise1.localhost/whoami",
    "/..%00/entreprise1.localhost/whoami",
    "/%2fentreprise1.localhost/whoami",
    "//entreprise1.localhost/whoami",
    "/entreprise1.localhost/../whoami",
    "/whoami/%2e%2e/%2e%2e/entreprise1.localhost/",
    "/?/../entreprise1.localhost/whoami",
    "/#/../entreprise1.localhost/whoami",
    "/%23/../../entreprise1.localhost/whoami",
    "/%3f/../../entreprise1.localhost/whoami",
    "/..%0d%0a/entreprise1.localhost/whoami",
    "/.../entreprise1.localhost/whoami",
]


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_spelling_of_a_path_reaches_another_tenants_prefix(system, path):
    request = f"GET {path} HTTP/1.1\r\nHost: demo.localhost\r\nConnection: close\r\n\r\n"
    answer = web.parse(system.raw(request.encode("latin-1")))
    assert answer is not None and answer.status < 500, answer
    other = system.json("tenant", "show", "entreprise1")["tenant"]
    assert other["id"] not in answer.text
    if answer.status == 200 and answer.type == "application/json":
        assert answer.json()["path"].startswith("/demo.localhost/"), answer.json()["path"]
        assert "/../" not in answer.json()["path"].partition("?")[0]
        assert told(answer)["x-tenant-slug"] == "demo"
    elif answer.status == 200:
        assert other["name"] not in answer.text


# ---- the header firewall ----

SPELLINGS = [
    "X-Tenant-Slug",
    "x-tenant-slug",
    "X-TENANT-SLUG",
    "X_Tenant_Slug",
    "x_tenant_slug",
    "X-Tenant_Slug",
    "X_TENANT-SLUG",
    "x-TeNaNt_SlUg",
    "X-Tenant-Id",
    "X_TENANT_ID",
    "X-Tenant-Domain",
    "x_tenant_domain",
    "X-Tenant-Plan",
    "X-Tenant-Resolved-By",
    "X_Tenant-Resolved_By",
    "X-Tenant-Token",
    "x_tenant_token",
    "X-Tenant-Status",
    "X-Tenant-Anything",
    "X-Tenant-",
    "X-Tenant",
    "Forwarded",
    "FORWARDED",
    "X-Forwarded-Host",
    "x_forwarded_host",
    "X-Forwarded-For",
    "X_FORWARDED_FOR",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "X-Forwarded-Prefix",
]


def forge(headers):
    return [(name, "forged-entreprise1.localhost") for name in headers]


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("times", [1, 3])
def test_no_spelling_of_our_headers_gets_in(system, name, times):
    answer = system.page("demo", "/whoami", headers=forge([name] * times))
    assert "forged" not in answer.text
    assert told(answer)["x-tenant-slug"] == "demo"


def test_all_of_them_at_once_between_honest_ones(system):
    headers = []
    for number, name in enumerate(SPELLINGS):
        headers += [(f"X-Honest-{number}", f"kept-{number}"), (name, "forged")]
    answer = system.page("demo", "/whoami", headers=headers)
    assert "forged" not in answer.text
    for number in range(len(SPELLINGS)):
        assert told(answer)[f"x-honest-{number}"] == f"kept-{number}"


@pytest.mark.parametrize("place", ["first", "middle", "last"])
@pytest.mark.parametrize("count", [1, 19, 20, 21, 40, 60])
def test_forged_header_goes_wherever_it_stands_in_a_long_list(system, place, count):
    honest = [(f"X-Honest-{number}", f"kept-{number}") for number in range(count)]
    at = {"first": 0, "middle": count // 2, "last": count}[place]
    headers = honest[:at] + [("X-Tenant-Id", "forged")] + honest[at:]
    answer = system.page("demo", "/whoami", headers=headers)
    assert "forged" not in answer.text
    reached = told(answer)
    for name, value in honest:
        assert reached[name.lower()] == value


def test_headers_that_only_look_similar_are_left_alone(system):
    headers = [
        ("X-Tenants-Id", "mine"),
        ("My-X-Tenant-Id", "mine"),
        ("X-Forward-Host", "mine"),
        ("Tenant-Id", "mine"),
    ]
    reached = told(system.page("demo", "/whoami", headers=headers))
    for name, _ in headers:
        assert reached[name.lower()] == "mine", name


def test_visitors_other_headers_and_host_reach_the_application(system):
    headers = [
        ("Cookie", "a=b; c=d"),
        ("Accept-Language", "fr"),
        ("User-Agent", "test/1"),
        ("Authorization", "Bearer x"),
    ]
    reached = told(system.page("demo", "/whoami", headers=headers))
    for name, value in headers:
        assert reached[name.lower()] == value


def test_forged_headers_do_not_move_the_daemon_either(system):
    other = system.json("tenant", "show", "entreprise1")["tenant"]["id"]
    headers = [
        ("X-Tenant-Id", other),
        ("X_Tenant_Id", other),
        ("X-Tenant-Domain", "entreprise1.localhost"),
    ]
    document = system.page("demo", "/api/tenant/current", headers=headers).json()
    assert (document["tenant"]["slug"], document["domain"]) == ("demo", "demo.localhost")
    answer = system.get(system.host(), "/api/tenant/current", headers)
    assert (answer.status, answer.json()["code"]) == (404, "no_tenant")


def test_forwarded_for_is_the_peers_address_not_what_it_says(system):
    headers = [("X-Forwarded-For", "203.0.113.9"), ("X-Real-IP", "203.0.113.9")]
    assert told(system.page("demo", "/whoami", headers=headers))["x-forwarded-for"] == "127.0.0.1"


@pytest.mark.parametrize(
    "connection", ["X-Tenant-Id", "close, X-Tenant-Slug, X-Tenant-Token", "x-forwarded-host"]
)
def test_connection_header_cannot_take_our_headers_away(system, connection):
    """A hop-by-hop list (RFC 9110 section 7.6.1) names headers for the next hop to drop."""
    reached = told(system.page("demo", "/whoami", headers=[("Connection", connection)]))
    for name in ("x-tenant-id", "x-tenant-slug", "x-tenant-token", "x-forwarded-host"):
        assert reached.get(name), name
    assert "tenant" not in reached.get("connection", "").lower()


# ---- the token ----


def parts(token):
    header, claims, signature = token.split(".")
    return json.loads(decode(header)), json.loads(decode(claims)), decode(signature)


def key_set(system):
    answer = system.get(system.host(), "/.well-known/tenantry/jwks.json")
    assert answer.status == 200, answer
    return answer


def test_token_names_tenant_and_host_and_expires_within_a_minute(system):
    now = time.time()
    token = told(system.page("demo", "/whoami"))["x-tenant-token"]
    header, claims, _ = parts(token)
    tenant = system.json("tenant", "show", "demo")["tenant"]
    assert header["alg"] == "EdDSA" and header["kid"]
    text = json.dumps(claims)
    assert tenant["id"] in text and "demo.localhost" in text
    assert claims["iat"] - 31 <= now <= claims["exp"]
    assert 0 < claims["exp"] - claims["iat"] <= 60


def test_token_is_signed_once_a_host_and_half_minute(system):
    tokens = {told(system.page("demo", "/whoami"))["x-tenant-token"] for _ in range(12)}
    # two workers may have signed in two half minutes each
    assert len(tokens) <= 4


def test_tokens_of_two_hosts_differ(system):
    claims = [parts(told(system.page(slug, "/whoami"))["x-tenant-token"])[1] for slug in DEMO]
    assert len({json.dumps(c, sort_keys=True) for c in claims}) == len(DEMO)


def test_token_verifies_with_the_public_keys_that_are_served(system, tmp_path):
    token = told(system.page("demo", "/whoami"))["x-tenant-token"]
    header, _, signature = parts(token)
    answer = key_set(system)
    keys = {key["kid"]: key for key in answer.json()["keys"]}
    key = keys[header["kid"]]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
    assert all("d" not in key for key in keys.values()), "a private key is served"
    # SubjectPublicKeyInfo of an Ed25519 key: RFC 8410 section 10.1
    der = bytes.fromhex("302a300506032b6570032100") + decode(key["x"])
    (tmp_path / "key").write_bytes(der)
    (tmp_path / "signature").write_bytes(signature)

    def verifies(text):
        (tmp_path / "text").write_bytes(text)
        command = [
            "openssl",
            "pkeyutl",
            "-verify",
            "-rawin",
            "-pubin",
            "-keyform",
            "DER",
            "-inkey",
            "key",
        ]
        command += ["-in", "text", "-sigfile", "signature"]
        return (
            subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
        )

    signed = token.rpartition(".")[0].encode()
    assert verifies(signed)
    assert not verifies(signed[:-1] + bytes([signed[-1] ^ 1]))


def test_signing_keys_are_for_their_owner_only(system):
    assert (system.state / "token.jwks").stat().st_mode & 0o077 == 0


# ---- custom domains and upstreams ----


def test_custom_domain_reaches_the_same_tenant(system, make_tenant):
    slug = make_tenant()
    system.run("domain", "add", slug, f"www.{slug}.example")
    answer = system.get(f"WWW.{slug}.example:{system.port}", "/whoami")
    reached = told(answer)
    assert reached["x-tenant-slug"] == slug
    assert reached["x-tenant-domain"] == f"www.{slug}.example"
    assert reached["x-tenant-resolved-by"] == "domain"
    assert answer.json()["path"] == f"/www.{slug}.example/whoami"


def test_custom_domain_is_the_same_to_the_daemon(system, make_tenant):
    slug = make_tenant()
    system.run("domain", "add", slug, f"{slug}.example")
    document = system.get(f"{slug}.example", "/api/tenant/current").json()
    assert (document["domain"], document["resolvedBy"]) == (f"{slug}.example", "domain")
    assert document["tenant"]["slug"] == slug


def test_settings_reach_the_application_by_their_list_only(system, make_tenant):
    slug = make_tenant(
        settings={"title": "Known to the edge", "secret": "not for the edge", "color": "#123456"}
    )
    page = system.page(slug)
    assert "Known to the edge" in page.text
    assert "not for the edge" not in page.text
    current = system.page(slug, "/api/tenant/current").json()["tenant"]
    assert current["settings"]["title"] == "Known to the edge"
    assert b"not for the edge" not in (system.state / "directory").read_bytes()


def test_tenants_own_words_are_marked_with_its_language(system):
    assert re.search(r'lang="fr"[^>]*>Bienvenue', system.page("entreprise1").text)
    assert re.search(r'lang="en"[^>]*>This is what', system.page("demo").text)
