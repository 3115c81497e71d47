"""The directory as nginx's workers follow it: changes, replacements, outages, reloads; and what is
logged of it, which is little."""

import random
import re
import threading
import time

import pytest

from support.nginx import TENANTS, edge, nginx, tools  # noqa: F401 (fixtures)
from support.processes import wait_until
from support.upstream import value

SAYS = re.compile(r"\[(notice|alert)\] .*?tenantry directory \"[^\"]*\" (.*)")


def said(nginx):
    """What the workers said of the directory: (level, text)."""
    return [match.groups() for line in nginx.error_log() if (match := SAYS.search(line))]


def requests(nginx, count, host="demo.localhost"):
    return {nginx.get(host).status for _ in range(count)}


def test_change_is_seen_by_the_next_request(nginx):
    nginx.write()
    nginx.configure()
    nginx.start()
    assert nginx.get("new.localhost").status == 404
    tenant = {"id": "0190b7a4-0000-7000-8000-0000000000ff", "slug": "new", "name": "New"}
    nginx.change(tenants=[tenant])
    assert nginx.get("new.localhost").status == 200
    for status, code in (("suspended", 403), ("maintenance", 503), ("archived", 410), ("active", 200)):
        nginx.change(tenants=[dict(tenant, status=status)])
        assert nginx.get("new.localhost").status == code
    nginx.change(tenants=[dict(tenant, slug="newer", formerSlugs=["new"])])
    assert nginx.get("new.localhost").header("Location") == "http://newer.localhost/"
    nginx.change(removedTenants=[tenant["id"]])
    assert nginx.get("newer.localhost").status == 404


def test_replaced_directory_is_followed_by_every_worker(nginx):
    nginx.write()
    nginx.configure(workers=2)
    nginx.start()
    assert requests(nginx, 8) == {200}
    nginx.write(generation=8, tenants=TENANTS[1:])
    wait_until(lambda: requests(nginx, 20) == {404}, "both workers to follow", timeout=5)
    assert requests(nginx, 8, "other.localhost") == {200}


def test_start_reports_the_generation(nginx):
    nginx.write()
    nginx.configure(workers=2)
    nginx.start()
    wait_until(lambda: len(said(nginx)) == 2, "both workers' reports")
    assert said(nginx) == [("notice", "read at generation 7, 6 tenants")] * 2
    nginx.change(flags={"beta": True})
    nginx.reload()
    wait_until(lambda: len(said(nginx)) == 4, "the new workers' reports")
    assert said(nginx)[2:] == [("notice", "read at generation 8, 6 tenants")] * 2


def test_missing_directory(nginx):
    """503 and never 404; one alert however many requests; found as soon as it is there."""
    nginx.allowed.append(r"\[alert\] .*tenantry directory .* is missing")
    nginx.configure()
    nginx.start()
    for _ in range(10):
        answer = nginx.get("demo.localhost", "/x")
        assert (answer.status, answer.header("Retry-After")) == (503, "5")
        assert answer.json()["code"] == "directory_unavailable"
    assert nginx.get("nobody.localhost").status == 503
    assert nginx.get("de_mo.localhost").status == 400
    assert nginx.get("demo.localhost", headers={"Accept": "text/html"}).type == "text/html"
    assert nginx.upstream.seen == []
    wait_until(lambda: len(said(nginx)) == 2, "the reports")
    assert said(nginx) == [
        ("notice", "is missing yet"),
        ("alert", "is missing, 1 requests answered 503 since the last report"),
    ]
    nginx.write()
    wait_until(lambda: nginx.get("demo.localhost").status == 200, "the directory", timeout=5)
    requests(nginx, 5)
    (back,) = said(nginx)[2:]
    assert back[0] == "notice" and back[1].startswith("is back at generation 7, ")


def test_removed_directory_is_still_known(nginx):
    """A worker goes on with what it has mapped; the file's name is not what it needs."""
    nginx.write()
    nginx.configure()
    nginx.start()
    assert requests(nginx, 1) == {200}
    nginx.directory.unlink()
    time.sleep(1.2)  # longer than the interval at which the file system is asked
    assert requests(nginx, 3) == {200}


@pytest.mark.parametrize(
    "text",
    [b"", b"x", b"not a directory\n" * 1000, random.Random(1).randbytes(65536)],
    ids=["empty", "a byte", "text", "noise"],
)
def test_file_that_is_no_directory(nginx, text):
    nginx.allowed.append(r"\[alert\] .*tenantry directory .* is (damaged|of another version)")
    nginx.directory.write_bytes(text)
    nginx.configure()
    nginx.start()
    assert requests(nginx, 5) == {503}
    assert len([level for level, _ in said(nginx) if level == "alert"]) == 1
    nginx.directory.unlink()
    nginx.write()
    wait_until(lambda: nginx.get("demo.localhost").status == 200, "the directory", timeout=5)


def test_damaged_directory_never_names_a_wrong_tenant(nginx):
    """Bits flipped all over the file: each request is answered for its own tenant or not at all."""
    nginx.allowed.append(r"\[alert\] .*tenantry directory")
    nginx.write()
    whole = nginx.directory.read_bytes()
    nginx.configure()
    step = max(1, len(whole) // 60)
    for offset in range(0, len(whole), step):
        damaged = bytearray(whole)
        for place in range(offset, min(offset + step, len(whole)), max(1, step // 64)):
            damaged[place] ^= 1 << (place % 8)
        nginx.directory.write_bytes(damaged)
        nginx.start()
        for host in ("demo.localhost", "www.demo.example", "other.localhost", "nobody.localhost", "localhost"):
            answer = nginx.get(host)
            assert answer.status in (200, 404, 503), answer
            if answer.status == 200:
                told = value(answer.json(), "X-Tenant-Slug")
                assert told == {"d": "demo", "w": "demo", "o": "other", "l": None}[host[0]], (offset, host)
        nginx.stop()


def test_changes_under_load_never_mix_tenants(nginx):
    """Requests for two tenants while one is renamed, moved and suspended again and again."""
    nginx.make_key()
    nginx.write()
    nginx.configure(workers=2, server="tenantry on; tenantry_rewrite /$tenant_slug$uri;")
    nginx.start()
    stop, wrong, counts = threading.Event(), [], {200: 0, 403: 0, 308: 0}

    def ask(host, slugs):
        while not stop.is_set():
            answer = nginx.get(host, "/x")
            counts[answer.status] = counts.get(answer.status, 0) + 1
            if answer.status == 200:
                seen = answer.json()
                slug = value(seen, "X-Tenant-Slug")
                if slug not in slugs or seen["path"] != f"/{slug}/x" or value(seen, "X-Tenant-Domain") != host:
                    wrong.append((host, seen))
            elif answer.status not in (403, 308):
                wrong.append((host, answer))

    threads = [
        threading.Thread(target=ask, args=arguments)
        for arguments in (("demo.localhost", ["demo"]), ("www.demo.example", ["demo", "renamed"]), ("other.localhost", ["other"]))
    ]
    for thread in threads:
        thread.start()
    try:
        for turn in range(60):
            nginx.change(tenants=[dict(TENANTS[0], slug="renamed", formerSlugs=["demo"])])
            nginx.change(tenants=[dict(TENANTS[0], formerSlugs=["renamed"])])
            nginx.change(tenants=[dict(TENANTS[1], status="suspended" if turn % 2 else "active")])
            if turn % 20 == 10:
                nginx.write(generation=nginx._generation + 1)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not wrong, wrong[:3]
    assert counts[200] > 100 and counts[403] and counts[308]


def test_reload_under_load_drops_nothing(nginx):
    nginx.write()
    nginx.configure(workers=2)
    nginx.start()
    stop, statuses = threading.Event(), set()

    def ask():
        while not stop.is_set():
            statuses.add(nginx.get("demo.localhost").status)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for _ in range(3):
            nginx.reload()
    finally:
        stop.set()
        thread.join()
    assert statuses == {200}


def test_tenant_with_thousands_of_hosts(nginx):
    """Its record is larger than a page of nginx's pools."""
    hosts = [f"host-{i}.example" for i in range(3000)]
    settings = {f"setting{i}": "x" * 300 for i in range(100)}
    nginx.write(tenants=[dict(TENANTS[0], hosts=hosts, settings=settings), TENANTS[1]])
    nginx.configure(location="add_header X-Setting $tenant_setting_setting99;")
    nginx.start()
    for host in (hosts[0], hosts[-1], "demo.localhost"):
        answer = nginx.get(host)
        assert value(answer.json(), "X-Tenant-Slug") == "demo"
        assert answer.header("X-Setting") == "x" * 300
