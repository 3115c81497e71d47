"""Compares what the edge does with what the database of record says, tenant by tenant."""

import http.client
import contextlib

from support import web

CLOSED = {"maintenance": 503, "suspended": 403, "archived": 410}


def tenants(system):
    """Every tenant of the database, by slug."""
    found, cursor = {}, ""
    with contextlib.closing(system.connect()) as connection:
        while True:
            answer = system.api("GET", f"/v1/tenants?limit=500{cursor}", connection=connection)
            assert answer.status == 200, answer
            document = answer.json()
            found |= {tenant["slug"]: tenant for tenant in document["tenants"]}
            if not document["nextCursor"]:
                return found
            cursor = f"&cursor={document['nextCursor']}"


def domains(system):
    """Every custom domain of the database, with its tenant's slug."""
    found, cursor = {}, ""
    while True:
        document = system.api("GET", f"/v1/domains?limit=500{cursor}").json()
        found |= {domain["host"]: domain["tenant"] for domain in document["domains"]}
        if not document["nextCursor"]:
            return found
        cursor = f"&cursor={document['nextCursor']}"


def assert_serves(answer, tenant, host):
    """An answer to /whoami at `host` that is right for this tenant."""
    if tenant["status"] in CLOSED:
        assert answer.status == CLOSED[tenant["status"]], (host, tenant, answer)
        return
    assert answer.status == 200, (host, tenant, answer)
    document = answer.json()
    headers = {name.lower(): value for name, value in document["headers"].items()}
    assert document["path"] == f"/{host}/whoami"
    assert headers["x-tenant-id"] == tenant["id"], (host, tenant)
    assert headers["x-tenant-slug"] == tenant["slug"], (host, tenant)
    assert headers.get("x-tenant-plan", "") == tenant["plan"], (host, tenant)


def assert_edge_equals_database(system):
    """Every tenant and every custom domain, by a request each; and the counts, so that nothing is in
    the directory that is not in the database."""
    known, hosts = tenants(system), domains(system)
    connection = http.client.HTTPConnection("127.0.0.1", system.port, timeout=10)
    with contextlib.closing(connection):
        for slug, tenant in known.items():
            if tenant["redirectToPrimary"] and tenant["primaryDomain"]:
                continue
            host = f"{slug}.localhost"
            assert_serves(web.send(connection, "GET", "/whoami", [("Host", host)]), tenant, host)
        for host, slug in hosts.items():
            tenant = known[slug]
            if tenant["redirectToPrimary"] and tenant["primaryDomain"] not in (None, host):
                continue
            assert_serves(web.send(connection, "GET", "/whoami", [("Host", host)]), tenant, host)
    view = system.api("GET", "/api/tenant/cache").json()
    assert view["state"] == "ready", view
    assert view["generation"] == view["databaseGeneration"], view
    assert (view["tenants"], view["domains"]) == (len(known), len(hosts)), view
