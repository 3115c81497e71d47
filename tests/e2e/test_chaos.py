"""What goes on working, and what is said, when parts are killed, taken away, exchanged or damaged."""

import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

from support import witness
from support.processes import wait_until
from support.system import DEMO, eventually


@pytest.fixture
def chance(request):
    """Random choices that can be repeated with --chaos-seed."""
    seed = request.config.getoption("--chaos-seed") or random.SystemRandom().randrange(2**32)
    print(f"--chaos-seed {seed}")
    return random.Random(seed)


def database(system):
    return system.state / "tenantry.db"


def directory(system):
    return system.state / "directory"


def take_database(system, to=None):
    """Moves the database with its journal files away, or to another place."""
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.rename(
                f"{database(system)}{suffix}",
                f"{to or database(system)}{suffix}{'' if to else '.away'}",
            )


def put_database_back(system):
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.remove(f"{database(system)}{suffix}")
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{database(system)}{suffix}.away", f"{database(system)}{suffix}")


def copy_database(system, to):
    """A whole copy of the database, whatever is in its journal."""
    with contextlib.closing(sqlite3.connect(database(system))) as source:
        with contextlib.closing(sqlite3.connect(to)) as copy:
            source.backup(copy)


def assert_everybody_is_served(system, slugs=DEMO):
    for slug in slugs:
        assert system.page(slug).status == 200
        assert system.page(slug, "/whoami").json()["path"] == f"/{slug}.localhost/whoami"
    assert system.page("nobody", "/whoami").status == 404


def view(system):
    """The directory as the daemon shows it to an operator."""
    answer = system.api("GET", "/api/tenant/cache")
    assert answer.status == 200, answer
    return answer.json()


def view_in_state(system, *states):
    document = view(system)
    assert document["state"] in states, document
    return document


# ---- the daemon is killed ----


def test_everybody_is_served_without_daemon_and_database(own_system):
    system = own_system
    system.run("tenant", "create", "extra", "--name", "Extra")
    system.run("domain", "add", "extra", "extra.example")
    take_database(system)
    system.freeze_run()
    system.kill_daemon()
    logged = system.error_log()
    for _ in range(30):
        assert_everybody_is_served(system, [*DEMO, "extra"])
        assert system.get("extra.example", "/whoami").status == 200
    assert system.error_log() == logged


def test_without_a_daemon_the_api_says_that_it_cannot_and_not_that_there_is_none(own_system):
    system = own_system
    system.freeze_run()
    system.kill_daemon()
    for path in (
        "/api/tenant/current",
        "/api/tenant/cache",
        "/v1/tenants",
        "/auth/tenant-selection",
    ):
        host = system.host("demo") if path.endswith("current") else system.host()
        answer = system.get(host, path, [("Accept", "application/json")])
        assert answer.status == 502 and answer.header("Retry-After"), (path, answer)
        if not path.startswith("/auth/"):
            assert answer.type == "application/problem+json", (path, answer)
            document = answer.json()
            assert document["code"] == "control_unavailable", (path, answer)
            assert document["status"] == 502


def test_command_says_when_no_daemon_answers(own_system):
    system = own_system
    system.freeze_run()
    system.kill_daemon()
    done = system.cli("tenant", "list")
    assert done.returncode == 3 and done.stdout == ""
    assert done.stderr.startswith("tenantry: tenant list: ") and done.stderr.count("\n") == 1


def test_killed_daemon_comes_back_with_everything(own_system):
    system = own_system
    system.run("tenant", "create", "before", "--name", "Before")
    system.restart_daemon()
    assert system.json("tenant", "show", "before")["tenant"]["name"] == "Before"
    system.run("tenant", "create", "after", "--name", "After")
    witness.assert_edge_equals_database(system)


@pytest.mark.parametrize("moment", ["running", "stopped"])
def test_second_daemon_is_refused(own_system, moment):
    """Two writers of one directory would be its end."""
    system = own_system
    if moment == "stopped":
        os.kill(system.daemon_pid(), signal.SIGSTOP)
    try:
        done = system.cli("serve")
        assert done.returncode == 1
        assert done.stderr.count("\n") <= 2 and "tenantry" in done.stderr
    finally:
        os.kill(system.daemon_pid(), signal.SIGCONT)
    system.run("tenant", "create", "still", "--name", "Still")
    assert system.page("still").status == 200


class Client:
    """Creates, renames and suspends tenants of its own, and keeps what was acknowledged. What was
    under way when the daemon died may or may not have happened: both are right."""

    def __init__(self, system, number, stop):
        self.system, self.number, self.stop = system, number, stop
        self.known = {}  # id → (slug, status) as acknowledged
        self.doubtful = set()  # ids with a write that got no answer
        self.acknowledged = []  # (action, target) as the audit trail has to know them
        self.count = 0
        self.failure = None

    def run(self):
        choose = random.Random(self.number)
        connection = None
        while not self.stop.is_set():
            try:
                connection = connection or self.system.connect()
                self.step(choose, connection)
            except (OSError, http.client.HTTPException):
                if connection is not None:
                    connection.close()
                connection = None
                time.sleep(0.01)
            except BaseException as error:
                self.failure = error
                return
        if connection is not None:
            connection.close()

    def step(self, choose, connection):
        safe = sorted(set(self.known) - self.doubtful)
        kind = choose.random()
        if kind < 0.5 or not safe:
            self.count += 1
            slug = f"client{self.number}-{self.count}"
            answer = self.system.api(
                "POST", "/v1/tenants", {"slug": slug, "name": slug}, connection=connection
            )
            if answer.status == 201:
                self.known[answer.json()["tenant"]["id"]] = (slug, "active")
                self.acknowledged.append(("tenant.create", slug))
            else:
                assert answer.status == 503, answer
            return
        tenant = choose.choice(safe)
        slug, status = self.known[tenant]
        if kind < 0.75:
            change, action = {"slug": f"{slug}r"[:60]}, "tenant.rename"
        else:
            change = {"status": "active" if status == "suspended" else "suspended"}
            action = "tenant.resume" if status == "suspended" else "tenant.suspend"
        self.doubtful.add(tenant)
        answer = self.system.api("PATCH", f"/v1/tenants/{tenant}", change, connection=connection)
        if answer.status == 200:
            self.known[tenant] = (change.get("slug", slug), change.get("status", status))
            self.acknowledged.append((action, tenant))
            self.doubtful.discard(tenant)
        else:
            assert answer.status == 503, answer
            self.doubtful.discard(tenant)


def audit_entries(system):
    """The whole trail."""
    found, cursor = [], ""
    while True:
        document = system.api("GET", f"/v1/audit?limit=1000{cursor}").json()
        found += document["entries"]
        if not document["nextCursor"]:
            return found
        cursor = f"&cursor={document['nextCursor']}"


def test_daemon_killed_ten_times_under_load_loses_nothing_acknowledged(own_system, chance):
    system, stop = own_system, threading.Event()
    clients = [Client(system, number, stop) for number in range(8)]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    served = []
    system.freeze_run()
    try:
        for _ in range(10):
            time.sleep(chance.uniform(0.05, 0.4))
            system.kill_daemon()
            served += [system.page(slug, "/whoami").status for slug in DEMO]
            system.start_daemon()
        time.sleep(0.2)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    for client in clients:
        if client.failure:
            raise client.failure
    assert set(served) == {200}
    acknowledged = sum(len(client.acknowledged) for client in clients)
    assert acknowledged > 50, f"{acknowledged} writes: too few to say anything"

    stored = {tenant["id"]: tenant for tenant in witness.tenants(system).values()}
    trail = audit_entries(system)
    actions = {}
    for entry in trail:
        actions.setdefault((entry["chain"], entry["action"]), []).append(entry)
    created = {entry["target"] for entry in trail if entry["action"] == "tenant.create"}
    for client in clients:
        for tenant, (slug, status) in client.known.items():
            if tenant not in client.doubtful:
                assert (stored[tenant]["slug"], stored[tenant]["status"]) == (slug, status)
            else:
                assert tenant in stored
        counted = {}
        for action, target in client.acknowledged:
            if action == "tenant.create":
                assert target in created
            else:
                counted[target, action] = counted.get((target, action), 0) + 1
        for key, number in counted.items():
            assert len(actions.get(key, ())) >= number, key
    assert system.json("audit", "verify")["valid"] is True
    # and nothing came to be without its entry
    assert sum(entry["action"] == "tenant.create" for entry in trail) == len(stored)
    eventually(lambda: witness.assert_edge_equals_database(system))


# ---- the database is missing, empty, foreign, older ----


def make_foreign(system, new_system, path):
    """A database of another installation, with a tenant of its own."""
    other = new_system().start()
    other.run("tenant", "create", "stranger", "--name", "Stranger")
    # a higher generation than ours, so that only the identity can tell
    for number in range(8):
        other.run("tenant", "set", "stranger", "--plan", f"p{number}")
    copy_database(other, path)
    other.stop()


def make_older(system, new_system, path):
    copy_database(system, path)
    system.run("tenant", "create", "later", "--name", "Later")


def make_empty(system, new_system, path):
    path.write_bytes(b"")


def make_missing(system, new_system, path):
    pass


def make_rubbish(system, new_system, path):
    path.write_bytes(b"this is no database" * 1000)


STATES = {
    "missing": make_missing,
    "empty": make_empty,
    "foreign": make_foreign,
    "older": make_older,
    "rubbish": make_rubbish,
}


def exchange_database(system, new_system, tmp_path, kind):
    """Puts another database in place of the system's, with a daemon started over it."""
    replacement = tmp_path / "replacement.db"
    STATES[kind](system, new_system, replacement)
    generation = view(system)["generation"]
    take_database(system)
    if replacement.exists():
        shutil.copy(replacement, database(system))
    system.restart_daemon()
    return generation


@pytest.mark.parametrize("kind", STATES)
def test_daemon_over_another_database_keeps_the_directory_and_says_why(
    own_system, new_system, tmp_path, kind
):
    system = own_system
    generation = exchange_database(system, new_system, tmp_path, kind)
    slugs = [*DEMO, "later"] if kind == "older" else DEMO
    assert_everybody_is_served(system, slugs)

    document = eventually(lambda: view_in_state(system, "refused", "unavailable"))
    assert document["generation"] == generation
    assert document["tenants"] == len(slugs)
    assert document["reason"]
    if kind in ("foreign", "older"):
        assert document["state"] == "refused"
        assert str(generation) in document["reason"], document["reason"]
    public = system.get(system.host(), "/api/tenant/cache").json()
    assert public["state"] == document["state"] and public["reason"]
    assert str(system.state) not in public["reason"]
    if kind == "foreign":
        assert document["databaseId"] in document["reason"], document["reason"]
        assert system.page("stranger", "/whoami").status == 404
    done = system.cli("cache", "rebuild")
    assert done.returncode == 1 and done.stderr.strip(), done
    assert_everybody_is_served(system, slugs)
    assert view(system)["generation"] == generation
    status = system.json("status")
    assert status["publisher"]["state"] == document["state"] and status["publisher"]["reason"]
    # the hybrid route does not vouch for anybody out of a database that is not the edge's
    current = system.page("demo", "/api/tenant/current")
    assert current.status == 503 and current.json()["code"] == "database_unavailable", current

    put_database_back(system)
    back = eventually(lambda: view_in_state(system, "ready"))
    assert back["generation"] == back["databaseGeneration"] == generation
    assert system.page("demo", "/api/tenant/current").status == 200
    system.run("tenant", "create", "again", "--name", "Again")
    witness.assert_edge_equals_database(system)


@pytest.mark.parametrize("kind", ["foreign", "older"])
def test_operator_can_adopt_the_other_database(own_system, new_system, tmp_path, kind):
    system = own_system
    exchange_database(system, new_system, tmp_path, kind)
    assert system.cli("cache", "rebuild").returncode == 1
    system.run("cache", "rebuild", "--force")
    document = view(system)
    assert document["state"] == "ready"
    witness.assert_edge_equals_database(system)
    if kind == "foreign":
        assert system.page("stranger", "/whoami").status == 200
    else:
        assert system.page("later", "/whoami").status == 404
    system.run("tenant", "create", "new", "--name", "New")
    assert system.page("new").status == 200


def test_write_that_is_not_published_says_so(own_system, new_system, tmp_path):
    """It is in the database, which the edge does not follow: neither a failure nor a success."""
    system = own_system
    exchange_database(system, new_system, tmp_path, "foreign")
    eventually(lambda: view_in_state(system, "refused"))
    answer = system.api("POST", "/v1/tenants", {"slug": "hidden", "name": "Hidden"})
    assert answer.status == 201, answer
    assert answer.json()["published"] is False and answer.json()["publishError"]
    done = system.cli("--json", "tenant", "create", "hidden2", "--name", "Hidden")
    assert done.returncode == 5 and done.stderr, done
    assert json.loads(done.stdout)["published"] is False
    for slug in ("hidden", "hidden2"):
        assert system.page(slug).status == 404
    assert_everybody_is_served(system)


def test_force_does_not_adopt_what_is_no_database(own_system, new_system, tmp_path):
    system = own_system
    generation = exchange_database(system, new_system, tmp_path, "rubbish")
    assert system.cli("cache", "rebuild", "--force").returncode == 1
    assert view(system)["generation"] == generation
    assert_everybody_is_served(system)


def test_database_taken_from_a_running_daemon_and_put_back(own_system):
    system = own_system
    take_database(system)
    assert_everybody_is_served(system)
    answer = system.api("POST", "/v1/tenants", {"slug": "lost", "name": "Lost"})
    assert answer.status == 503 and answer.header("Retry-After"), answer
    assert answer.json()["code"] == "database_unavailable"
    assert system.page("demo", "/api/tenant/current").status == 503
    assert not database(system).exists(), "a database was made out of nothing"
    put_database_back(system)
    eventually(lambda: system.run("tenant", "create", "found", "--name", "Found"), 15)
    witness.assert_edge_equals_database(system)


def test_changed_audit_trail_is_found(own_system):
    system = own_system
    system.run("tenant", "suspend", "demo")
    with contextlib.closing(sqlite3.connect(database(system))) as connection:
        tables = [
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        audit = next(
            name
            for name in tables
            if "audit" in name and "head" not in name and "chain" not in name
        )
        triggers = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (audit,)
        )
        for (name,) in triggers.fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        changed = connection.execute(
            f"UPDATE \"{audit}\" SET action = 'tenant.resume' WHERE action = 'tenant.suspend'"
        )
        assert changed.rowcount == 1
        connection.commit()
    done = system.cli("--json", "audit", "verify")
    assert done.returncode == 1 and "false" in done.stdout + done.stderr or done.stderr


def test_full_disk_refuses_the_write_whole_and_serves_on(new_system, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs", small]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system can only be mounted by root")
    try:
        system = new_system(state=small / "state").start()
        refused = []
        for number in range(100):
            body = {"slug": f"large{number}", "name": "Large", "settings": {"title": "x" * 60000}}
            answer = system.api("POST", "/v1/tenants", body)
            if answer.status != 201:
                refused.append(body["slug"])
                assert (answer.status, answer.json()["code"]) == (507, "storage_full"), answer
            if len(refused) == 3:
                break
        assert len(refused) == 3, "the disk was not filled"
        stored = witness.tenants(system)
        assert stored and not set(refused) & set(stored)
        assert system.json("audit", "verify")["valid"] is True
        witness.assert_edge_equals_database(system)
        system.close()
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)


# ---- the directory is missing or damaged ----


def probe(system, ids):
    """Every tenant once: the right one or 503. Gives how many were served."""
    served = 0
    for slug, tenant in ids.items():
        answer = system.page(slug, "/whoami")
        assert answer.status in (200, 503), answer
        if answer.status == 200:
            headers = {name.lower(): value for name, value in answer.json()["headers"].items()}
            assert (headers["x-tenant-id"], headers["x-tenant-slug"]) == (tenant, slug)
            served += 1
        else:
            assert answer.header("Retry-After"), answer
    return served


def identities(system):
    return {slug: tenant["id"] for slug, tenant in witness.tenants(system).items()}


def all_served(system, ids):
    served = probe(system, ids)
    assert served == len(ids), f"{served} of {len(ids)} are served"


def test_deleted_directory_is_never_a_404_and_is_rebuilt_by_itself(own_system):
    system = own_system
    ids = identities(system)
    before = view(system)
    for _ in range(3):
        inode = directory(system).stat().st_ino
        os.remove(directory(system))
        wait_until(
            lambda: probe(system, ids) is not None and directory(system).exists(),
            "the directory to be rebuilt",
            20,
        )
        assert directory(system).stat().st_ino != inode
        eventually(lambda: all_served(system, ids), 20)
    assert view(system)["generation"] == before["generation"]
    system.run("tenant", "create", "after", "--name", "After")
    eventually(lambda: witness.assert_edge_equals_database(system))


def test_without_directory_and_daemon_it_is_503_and_one_alert(own_system):
    system = own_system
    system.freeze_run()
    system.kill_daemon()
    os.remove(directory(system))
    before = set(system.worker_pids())
    os.kill(system.nginx_pid(), signal.SIGHUP)  # new workers, that find nothing
    wait_until(lambda: (now := set(system.worker_pids())) and not now & before, "new workers")

    def is_unavailable():
        answer = system.page("demo", "/whoami")
        assert answer.status == 503
        return answer

    system.allowed_faults.append("directory")
    answer = eventually(is_unavailable)
    assert answer.json()["code"] not in ("unknown_tenant", "no_tenant") and answer.header(
        "Retry-After"
    )
    for _ in range(100):
        assert system.page("nobody", "/").status == 503  # who could know that there is none?
    logged = [
        line for line in system.error_log().splitlines() if "[alert]" in line or "[crit]" in line
    ]
    assert 1 <= len(logged) <= 4, logged  # each worker says it once


def damage(path, chance, flips, first=0, last=None):
    """Flips single bits of a file in place, as bad memory or a bad disk would."""
    size = path.stat().st_size
    with open(path, "r+b", buffering=0) as file:
        for _ in range(flips):
            at = chance.randrange(first, min(last or size, size))
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ (1 << chance.randrange(8))]))


def is_kept_aside(system, inode):
    """Whether the file that was damaged is there under its other name."""
    aside = system.state / "directory.damaged"
    return aside.exists() and aside.stat().st_ino == inode


@pytest.mark.parametrize("part", ["header", "anywhere", "everywhere"])
def test_damaged_directory_never_shows_a_wrong_tenant_and_is_rebuilt(own_system, chance, part):
    system = own_system
    with contextlib.closing(system.connect()) as connection:
        for number in range(40):
            body = {"slug": f"many{number}", "name": f"Many {number}"}
            assert system.api("POST", "/v1/tenants", body, connection=connection).status == 201
    system.allowed_faults.append("directory")
    ids = identities(system)
    generation = view(system)["generation"]
    for _ in range(3):
        inode = directory(system).stat().st_ino
        if part == "header":
            damage(directory(system), chance, 40, 0, 320)
        elif part == "anywhere":
            damage(directory(system), chance, 400)
        else:
            damage(directory(system), chance, 20000)
        for _ in range(3):
            probe(system, ids)
        wait_until(
            lambda: is_kept_aside(system, inode), "the damaged directory to be kept aside", 20
        )
        assert directory(system).stat().st_ino != inode
        eventually(lambda: all_served(system, ids), 20)
    document = view(system)
    assert (document["state"], document["generation"]) == ("ready", generation)
    eventually(lambda: witness.assert_edge_equals_database(system))


@pytest.mark.parametrize("content", ["empty", "short", "rubbish", "zeroes", "another"])
def test_directory_exchanged_while_nothing_runs_is_rebuilt_at_the_start(
    own_system, new_system, content
):
    system = own_system
    system.run("tenant", "create", "kept", "--name", "Kept")
    ids = identities(system)
    system.stop()
    path = directory(system)
    if content == "another":
        other = new_system().start()
        other.run("tenant", "create", "stranger", "--name", "Stranger")
        other.stop()
        # a directory of another database is not ours to wipe: the operator decides
        shutil.copy(directory(other), path)
        system.start(wait=False)
        system.wait_edge()
        document = eventually(lambda: view_in_state(system, "refused"))
        assert document["reason"]
        assert system.page("kept").status == 404
        system.run("cache", "rebuild", "--force")
        assert system.page("stranger").status == 404
    else:
        whole = path.read_bytes()
        replacement = {
            "empty": b"",
            "short": whole[: len(whole) // 2],
            "rubbish": random.Random(1).randbytes(len(whole)),
            "zeroes": bytes(len(whole)),
        }[content]
        path.write_bytes(replacement)
        system.allowed_faults.append("directory")
        system.start()
    eventually(lambda: all_served(system, ids))
    witness.assert_edge_equals_database(system)


# ---- nginx ----


class Load:
    """Requests on new and on kept connections until told to stop; every one must be answered."""

    def __init__(self, system, threads=4):
        self.system, self.count, self.faults = system, 0, []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(number,)) for number in range(threads)
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(20)

    def _run(self, number):
        while not self._stop.is_set():
            slug = DEMO[number % len(DEMO)]
            try:
                answer = self.system.page(slug, "/whoami", headers=[("Connection", "close")])
                if answer.status != 200 or answer.json()["path"] != f"/{slug}.localhost/whoami":
                    self.faults.append(answer)
            except Exception as error:
                self.faults.append(error)
            self.count += 1


def test_reload_under_load_drops_no_request(own_system):
    system = own_system
    master = system.nginx_pid()
    with Load(system) as load:
        for _ in range(5):
            before, count = set(system.worker_pids()), load.count
            os.kill(master, signal.SIGHUP)
            wait_until(lambda: set(system.worker_pids()) - before, "new workers")
            wait_until(lambda: load.count > count + 100, "requests after the reload")
            wait_until(lambda: not set(system.worker_pids()) & before, "the old workers to go")
    assert not load.faults, load.faults[:3]
    assert load.count > 500
    assert system.nginx_pid() == master


def test_changes_during_a_reload_are_seen_by_old_and_new_workers(own_system):
    system = own_system
    master = system.nginx_pid()
    for number in range(10):
        os.kill(master, signal.SIGHUP)
        system.run("tenant", "create", f"reload{number}", "--name", f"Reload {number}")
        for _ in range(5):
            assert system.page(f"reload{number}").status == 200


def test_killed_worker_is_replaced_and_knows_everybody(own_system):
    system = own_system
    workers = system.worker_pids()
    system.allowed_faults.append(r"exited on signal 9")
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(set(system.worker_pids()) - set(workers)) == len(workers), "new workers")
    assert_everybody_is_served(system)
