"""Many hands at once: what the edge says was true at that moment, and what was acknowledged is what
everybody sees."""

import contextlib
import http.client
import random
import threading
import time

from support import web, witness

WRITERS = READERS = 8
SECONDS = 5.0


class Crew:
    """Threads whose first failure is the test's."""

    def __init__(self):
        self.stop = threading.Event()
        self._threads, self._failures = [], []

    def add(self, function, *arguments):
        def run():
            try:
                function(*arguments)
            except BaseException as error:
                self._failures.append(error)
                self.stop.set()

        self._threads.append(threading.Thread(target=run))

    def work(self, seconds=None):
        for thread in self._threads:
            thread.start()
        if seconds is not None:
            self.stop.wait(seconds)
            self.stop.set()
        for thread in self._threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self._threads), "a thread hangs"
        if self._failures:
            raise self._failures[0]


class History:
    """The states of one tenant, each with when its write began and when it was acknowledged."""

    def __init__(self, names, state):
        self.names = names  # the slugs it takes turns with
        self.entries = [(0.0, 0.0, state)]

    def fits(self, state, host, seen):
        """Whether an answer at a host is right for a state. The application reads the same directory
        a moment after the edge and may know better already: then it refuses what the edge let in.
        """
        slug, status, plan = state
        kind, what = seen
        if kind == "refused by the application":
            return status != "active" if what == "tenant_inactive" else slug != host
        if status != "active":
            return (kind, what) == (witness.CLOSED[status], None)
        return (kind, what) == ((200, plan) if host == slug else (308, slug))

    def explain(self, host, began, ended, seen, newest):
        """The first entry, not before `newest`, that was in force at some moment between began and
        ended and gives what was seen; None when there is no such entry."""
        entries = list(self.entries)
        for index in range(newest, len(entries)):
            start, _, state = entries[index]
            replaced = entries[index + 1][1] if index + 1 < len(entries) else float("inf")
            if start <= ended and replaced >= began and self.fits(state, host, seen):
                return index
        return None

    def story(self, host, began, ended, seen, newest):
        """What was wrong with an answer that cannot be explained, in milliseconds from its request."""
        lines = [
            f"{host}: {seen}, asked at 0, answered at {(ended - began) * 1000:.2f}, was not true then"
        ]
        for index, (start, end, state) in enumerate(self.entries):
            if index >= len(self.entries) - 8 or self.fits(state, host, seen):
                fits = "  as seen" if self.fits(state, host, seen) else ""
                at = f"{(start - began) * 1000:.2f} to {(end - began) * 1000:.2f}"
                older = " (older than what this reader saw before)" if index < newest else ""
                lines.append(f"  {index}: {state} written from {at}{fits}{older}")
        return "\n".join(lines)


def observe(connection, host):
    answer = web.send(connection, "GET", "/whoami", [("Host", f"{host}.localhost")])
    if answer.status == 200:
        document = answer.json()
        headers = {name.lower(): value for name, value in document["headers"].items()}
        assert headers["x-tenant-slug"] == host and document["path"].startswith(
            f"/{host}.localhost/"
        )
        return (200, headers["x-tenant-plan"])
    if answer.status == 308:
        return (308, answer.header("Location").removeprefix("http://").partition(".")[0])
    code = answer.json()["code"]
    if code in ("tenant_inactive", "invalid_token"):
        return ("refused by the application", code)
    assert code in ("tenant_suspended", "tenant_maintenance"), answer
    return (answer.status, None)


def write(system, connection, history, stop, seed):
    choose = random.Random(seed)
    number = 0
    while not stop.is_set():
        slug, status, _ = history.entries[-1][2]
        number += 1
        change = {"plan": f"p{number}"}
        kind = choose.random()
        if kind < 0.3:
            change["status"] = choose.choice(["active", "suspended", "maintenance"])
        elif kind < 0.5:
            change["slug"] = next(name for name in history.names if name != slug)
        state = (change.get("slug", slug), change.get("status", status), change["plan"])
        # the entry is there before the write is, so that whoever sees the write finds the entry
        began = time.monotonic()
        history.entries.append((began, float("inf"), state))
        answer = system.api("PATCH", f"/v1/tenants/{slug}", change, connection=connection)
        assert answer.status == 200 and answer.json()["published"] is True, answer
        history.entries[-1] = (began, time.monotonic(), state)


def read(system, histories, stop, seed, counts):
    choose = random.Random(seed)
    newest = {}
    with contextlib.closing(
        http.client.HTTPConnection("127.0.0.1", system.port, timeout=10)
    ) as connection:
        while not stop.is_set():
            history = choose.choice(histories)
            host = choose.choice(history.names)
            began = time.monotonic()
            seen = observe(connection, host)
            ended = time.monotonic()
            # equal answers may belong to several states: the earliest keeps later ones possible
            index = history.explain(host, began, ended, seen, newest.get(id(history), 0))
            assert index is not None, history.story(
                host, began, ended, seen, newest.get(id(history), 0)
            )
            newest[id(history)] = index
            counts.append(1)


def test_no_answer_that_was_never_true(own_system):
    system = own_system
    histories = []
    for number in range(WRITERS):
        first, second = f"crew{number}", f"crew{number}-b"
        answer = system.api("POST", "/v1/tenants", {"slug": first, "name": first, "plan": "p0"})
        assert answer.status == 201
        system.api("PATCH", f"/v1/tenants/{first}", {"slug": second})
        system.api("PATCH", f"/v1/tenants/{second}", {"slug": first})
        histories.append(History((first, second), (first, "active", "p0")))
    crew, counts = Crew(), []
    with contextlib.ExitStack() as stack:
        for number, history in enumerate(histories):
            connection = stack.enter_context(contextlib.closing(system.connect()))
            crew.add(write, system, connection, history, crew.stop, number)
        for number in range(READERS):
            crew.add(read, system, histories, crew.stop, 100 + number, counts)
        crew.work(SECONDS)
    writes = sum(len(history.entries) - 1 for history in histories)
    assert (
        len(counts) > 500 and writes > 100
    ), f"{len(counts)} reads, {writes} writes: too few to say anything"
    witness.assert_edge_equals_database(system)
    assert system.json("audit", "verify")["valid"] is True


def test_every_worker_sees_a_write_as_soon_as_it_is_acknowledged(system, make_tenant):
    workers = len(system.worker_pids())
    slug = make_tenant()
    with contextlib.closing(system.connect()) as writer, contextlib.ExitStack() as stack:
        # kept-alive connections stay with the worker that accepted them: enough to reach each
        readers = [
            stack.enter_context(
                contextlib.closing(http.client.HTTPConnection("127.0.0.1", system.port, timeout=10))
            )
            for _ in range(workers * 4)
        ]
        for number in range(100):
            answer = system.api(
                "PATCH", f"/v1/tenants/{slug}", {"plan": f"p{number}"}, connection=writer
            )
            assert answer.status == 200
            for reader in readers:
                assert observe(reader, slug) == (200, f"p{number}")


def test_many_tenants_made_at_once_are_all_there_and_the_generations_have_no_gap(system):
    before = system.json("status")["database"]["generation"]
    generations, lock, crew = [], threading.Lock(), Crew()

    def make(worker):
        with contextlib.closing(system.connect()) as connection:
            for number in range(15):
                slug = f"at-once-{worker}-{number}"
                answer = system.api(
                    "POST", "/v1/tenants", {"slug": slug, "name": slug}, connection=connection
                )
                assert answer.status == 201, answer
                assert int(answer.header("Tenantry-Generation")) == answer.json()["generation"]
                assert system.page(slug).status == 200
                with lock:
                    generations.append(answer.json()["generation"])

    for worker in range(WRITERS):
        crew.add(make, worker)
    crew.work()
    # the answer's generation is one that has the change in it: never below the change's own
    after = system.json("status")["database"]["generation"]
    assert after == before + WRITERS * 15
    assert min(generations) > before and max(generations) == after
    witness.assert_edge_equals_database(system)


def race(function):
    """Eight at once from one start line; what each of them got."""
    line, crew, results = threading.Barrier(WRITERS), Crew(), [None] * WRITERS

    def run(number):
        line.wait(10)
        results[number] = function(number)

    for number in range(WRITERS):
        crew.add(run, number)
    crew.work()
    return results


def test_one_of_many_gets_a_slug(system):
    for turn in range(5):
        body = {"slug": f"wanted-{turn}", "name": "Wanted"}
        answers = race(lambda number: system.api("POST", "/v1/tenants", body))
        assert sorted(answer.status for answer in answers) == [201] + [409] * (WRITERS - 1)


def test_one_of_many_gets_a_domain(system, make_tenant):
    slugs = [make_tenant() for _ in range(WRITERS)]
    answers = race(
        lambda n: system.api("POST", f"/v1/tenants/{slugs[n]}/domains", {"host": "wanted.example"})
    )
    assert sorted(answer.status for answer in answers) == [201] + [409] * (WRITERS - 1)
    winner = next(slug for slug, answer in zip(slugs, answers) if answer.status == 201)
    seen = system.get("wanted.example", "/whoami").json()["headers"]
    assert {name.lower(): value for name, value in seen.items()}["x-tenant-slug"] == winner


def test_one_of_many_changes_a_version(system, make_tenant):
    slug = make_tenant()
    etag = system.api("GET", f"/v1/tenants/{slug}").header("ETag")
    answers = race(
        lambda n: system.api(
            "PATCH", f"/v1/tenants/{slug}", {"name": f"Name {n}"}, [("If-Match", etag)]
        )
    )
    assert sorted(answer.status for answer in answers) == [200] + [412] * (WRITERS - 1)


def test_rebuilding_while_everybody_writes_and_reads(system, make_tenant):
    slugs, crew = [make_tenant() for _ in range(3)], Crew()

    def change(slug):
        with contextlib.closing(system.connect()) as connection:
            number = 0
            while not crew.stop.is_set():
                number += 1
                answer = system.api(
                    "PATCH", f"/v1/tenants/{slug}", {"plan": f"p{number}"}, connection=connection
                )
                assert answer.status == 200 and answer.json()["published"] is True, answer
                assert observe_now(system, slug) == (200, f"p{number}")

    def rebuild():
        while not crew.stop.is_set():
            assert system.api("POST", "/api/tenant/cache", {"action": "rebuild"}).status == 200
            time.sleep(0.02)

    for slug in slugs:
        crew.add(change, slug)
    crew.add(rebuild)
    crew.work(2.0)
    witness.assert_edge_equals_database(system)


def observe_now(system, slug):
    with contextlib.closing(
        http.client.HTTPConnection("127.0.0.1", system.port, timeout=10)
    ) as connection:
        return observe(connection, slug)
