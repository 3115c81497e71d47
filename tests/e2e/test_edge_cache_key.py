"""Caches whose key does not tell tenants apart are refused when the configuration is read."""

import re

import pytest

from support.nginx import nginx, tools  # noqa: F401 (fixtures)

ZONES = "proxy_cache_path @folder@/c1 keys_zone=z:1m; fastcgi_cache_path @folder@/c2 keys_zone=f:1m; uwsgi_cache_path @folder@/c3 keys_zone=u:1m; scgi_cache_path @folder@/c4 keys_zone=s:1m;"
GOOD = ["$tenant_id$uri", "${tenant_slug}/$uri", "$TENANT_ID", "$scheme$tenant_domain$request_uri", "$scheme$host$request_uri",
        "$http_host$uri", "x${host}y", "$uri$arg_a$host"]
BAD = ["$scheme$proxy_host$request_uri", "$uri", "constant", "$hostname$uri", "$server_name$uri", "$http_hosts$uri",
       "$http_x_host", "host", "$tenant_plan$uri", "$tenant_flag_id", "$tenant_id_$uri", "tenant_id"]


def server(inside, location="", options="tenantry on;"):
    return (
        ZONES
        + "\nserver {\nlisten 127.0.0.1:@port@;\n"
        + options
        + "\n"
        + inside
        + "\nlocation / {\nproxy_pass http://app;\n"
        + location
        + "\n}\n}\n"
    )


def check(nginx, http):
    nginx.configure(http)
    return nginx.test_config()


def line_of(nginx, text):
    """The line of the configuration that has this text."""
    (number,) = [i for i, line in enumerate(nginx.config.read_text().splitlines(), 1) if text in line]
    return number


@pytest.mark.parametrize("key", GOOD)
def test_key_that_tells_tenants_apart(nginx, key):
    taken, said = check(nginx, server("", f"proxy_cache z; proxy_cache_key {key};"))
    assert taken, said


@pytest.mark.parametrize("key", BAD)
def test_key_that_does_not(nginx, key):
    taken, said = check(nginx, server("", f"proxy_cache z;\nproxy_cache_key {key};"))
    assert not taken
    assert f"{nginx.config}:{line_of(nginx, 'proxy_cache_key')}" in said
    assert "proxy_cache_key $tenant_id$scheme$host$request_uri;" in said
    assert "tenantry_cache_key_check off;" in said


def test_mend_that_is_suggested_is_one(nginx):
    _, said = check(nginx, server("", "proxy_cache z;"))
    mend = re.search(r'set "(proxy_cache_key [^"]*;)"', said)[1]
    taken, said = check(nginx, server("", f"proxy_cache z; {mend}"))
    assert taken, said


def test_default_key(nginx):
    taken, said = check(nginx, server("", "proxy_cache z;"))
    assert not taken
    assert f"{nginx.config}:{line_of(nginx, 'proxy_cache z')}" in said
    assert "the default" in said


@pytest.mark.parametrize(("name", "zone"), [("fastcgi", "f"), ("uwsgi", "u"), ("scgi", "s")])
def test_other_protocols(nginx, name, zone):
    def http(key):
        return ZONES + f"server {{ listen 127.0.0.1:@port@; tenantry on; location / {{ {name}_pass unix:/none; {name}_cache {zone}; {key} }} }}"

    assert check(nginx, http(f"{name}_cache_key $tenant_id$uri;"))[0]
    for key in ("", f"{name}_cache_key $uri;"):
        taken, said = check(nginx, http(key))
        assert not taken
        assert f"{name}_cache_key $tenant_id$scheme$host$request_uri;" in said


def test_inheritance_is_nginxs(nginx):
    # from the server, from http, into nested locations; the child's own value wins
    assert not check(nginx, server("proxy_cache z;"))[0]
    assert check(nginx, server("proxy_cache z; proxy_cache_key $tenant_id$uri;"))[0]
    assert check(nginx, server("proxy_cache z;", "proxy_cache off;"))[0]
    assert check(nginx, server("proxy_cache z;", "proxy_cache_key $tenant_id$uri;"))[0]
    assert not check(nginx, server("proxy_cache_key $tenant_id;", "proxy_cache z; proxy_cache_key $uri;"))[0]
    assert not check(nginx, "proxy_cache_key $uri;" + server("", "proxy_cache z;"))[0]
    assert check(nginx, "proxy_cache_key $tenant_id;" + server("", "proxy_cache z;"))[0]
    nested = "location /nested/ {\nproxy_pass http://app;\n%s\n}"
    assert not check(nginx, server("", "proxy_cache_key $tenant_id;" + nested % "proxy_cache z; proxy_cache_key $uri;"))[0]
    assert check(nginx, server("", "proxy_cache_key $tenant_id;" + nested % "proxy_cache z;"))[0]
    assert not check(nginx, server("", nested % "proxy_cache z;"))[0]
    assert not check(nginx, server("location /other/ { proxy_cache z; if ($arg_a) { proxy_pass http://app; } }"))[0]


def test_location_that_passes_nothing_on_caches_nothing(nginx):
    http = ZONES + "server { listen 127.0.0.1:@port@; tenantry on; proxy_cache z; location / { return 204; } location /f/ { fastcgi_pass unix:/none; } }"
    taken, said = check(nginx, http)
    assert taken, said


def test_check_is_for_servers_with_tenants(nginx):
    assert check(nginx, server("", "proxy_cache z;", options="tenantry off;"))[0]
    assert not check(nginx, "tenantry on;" + server("", "proxy_cache z;", options=""))[0]


def test_check_can_be_switched_off(nginx):
    mapped = "map $tenant_id $mine { default $tenant_id; }"
    assert not check(nginx, mapped + server("", "proxy_cache z; proxy_cache_key $mine$uri;"))[0]
    for http in (
        mapped + server("", "proxy_cache z; proxy_cache_key $mine$uri; tenantry_cache_key_check off;"),
        mapped + server("tenantry_cache_key_check off;", "proxy_cache z; proxy_cache_key $mine$uri;"),
        mapped + "tenantry_cache_key_check off;" + server("", "proxy_cache z; proxy_cache_key $mine$uri;"),
    ):
        taken, said = check(nginx, http)
        assert taken, said


@pytest.mark.parametrize(
    ("options", "key", "taken"),
    [
        # a trusted proxy may name another host than nginx sees
        ("tenantry on; tenantry_trusted_proxy 127.0.0.1;", "$host$uri", False),
        ("tenantry on; tenantry_trusted_proxy 127.0.0.1;", "$http_host$uri", False),
        ("tenantry on; tenantry_trusted_proxy 127.0.0.1;", "$tenant_domain$uri", True),
        # by path or header tenants share the platform's host
        ("tenantry on; tenantry_strategy host path;", "$host$uri", False),
        ("tenantry on; tenantry_strategy host path;", "$tenant_domain$uri", False),
        ("tenantry on; tenantry_strategy host path;", "$tenant_slug$uri", True),
        ("tenantry on; tenantry_strategy host header; tenantry_trusted_proxy 127.0.0.1;", "$tenant_domain$uri", False),
        ("tenantry on; tenantry_strategy host header; tenantry_trusted_proxy 127.0.0.1;", "$tenant_id$uri", True),
    ],
)
def test_host_counts_only_where_it_decides(nginx, options, key, taken):
    assert check(nginx, server("", f"proxy_cache z; proxy_cache_key {key};", options))[0] is taken


def test_include_is_named(nginx):
    included = nginx.folder / "included.conf"
    included.write_text("# a comment\nproxy_cache z;\n")
    taken, said = check(nginx, server("", "include @folder@/included.conf;"))
    assert not taken and f"{included}:2" in said


def without_module(nginx, http):
    """What nginx says of the same configuration without the module."""
    nginx.configure(http, directory="")
    text = nginx.config.read_text()
    text = re.sub(r"load_module .*", "", text).replace("$tenant_slug", "-")
    nginx.config.write_text(text)
    return nginx.test_config()


@pytest.mark.parametrize(
    "inside",
    [
        "proxy_cache;",
        "proxy_cache a b;",
        "proxy_cache z; proxy_cache z;",
        "proxy_cache_key $uri; proxy_cache_key $uri;",
        "proxy_cache_key $unknown_variable;",
        "proxy_cache nosuchzone;",
        "proxy_pass http://app; proxy_pass http://app;",
        "proxy_pass gopher://app;",
        "if ($arg_a) { proxy_cache z; }",
        "proxy_cache z; proxy_store on;",
        "fastcgi_pass;",
    ],
)
def test_nginxs_own_complaints_are_unchanged(nginx, inside):
    http = ZONES + f"\nserver {{ listen 127.0.0.1:@port@; location / {{ {inside} }} }}\n"

    def complaint(said):
        return re.sub(r":\d+$|^nginx: ", "", [line for line in said.splitlines() if "[emerg]" in line][0])

    nginx.configure(http, directory="")
    nginx.config.write_text(nginx.config.read_text().replace("$tenant_slug", "-"))
    with_taken, with_said = nginx.test_config()
    taken, said = without_module(nginx, http)
    assert (with_taken, complaint(with_said)) == (taken, complaint(said)) and not taken


def test_cache_of_two_tenants(nginx):
    """The same path of two tenants, in a cache that passed the check."""
    nginx.write()
    nginx.configure(server("", "proxy_cache z; proxy_cache_valid 1m; proxy_cache_key $tenant_id$scheme$host$request_uri;"))
    nginx.start()
    for _ in range(2):
        for host in ("demo.localhost", "other.localhost"):
            assert ["X-Tenant-Domain", host] in nginx.get(host, "/same").json()["headers"]
    assert len(nginx.upstream.seen) == 2
