"""The `tenantry` command as people and scripts use it: exit codes, messages, JSON; and that the next
request sees what it did, with no reload of anything."""

import http.server
import json
import os
import pty
import re
import subprocess
import threading
import unicodedata

import pytest

from support.system import DEMO, eventually

OK, FAILED, USAGE, UNREACHABLE, DENIED, UNPUBLISHED = range(6)


@pytest.fixture(scope="module", autouse=True)
def workers_stay(system):
    """Nothing in this module may make nginx start new workers."""
    before = system.worker_pids()
    yield
    assert system.worker_pids() == before


@pytest.fixture(params=["people", "json"])
def run(request, system):
    """Runs a subcommand that must succeed, in both kinds of output."""

    def run(*arguments):
        if request.param == "people":
            return system.run(*arguments)
        return system.json(*arguments)

    return run


# ---- the next request sees it ----


def test_create(system, run, make_tenant):
    slug = make_tenant() + "x"
    assert system.page(slug).status == 404
    run(
        "tenant",
        "create",
        slug,
        "--name",
        "Häuser & Söhne",
        "--plan",
        "gold",
        "--setting",
        "title=A title",
        "--unlisted",
    )
    tenant = system.page(slug, "/api/tenant/current").json()["tenant"]
    assert (tenant["name"], tenant["plan"], tenant["settings"]) == (
        "Häuser & Söhne",
        "gold",
        {"title": "A title"},
    )
    assert system.page(slug, "/whoami").json()["headers"]
    assert system.json("tenant", "show", slug)["tenant"]["listed"] is False


@pytest.mark.parametrize(
    "action, status, code, back",
    [
        ("suspend", 403, "tenant_suspended", "resume"),
        ("maintenance", 503, "tenant_maintenance", "resume"),
        ("archive", 410, "tenant_archived", "restore"),
    ],
)
def test_status(system, run, make_tenant, action, status, code, back):
    slug = make_tenant()
    run("tenant", action, slug)
    answer = system.page(slug, "/", headers=[("Accept", "application/json")])
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert (answer.header("Retry-After") is not None) == (status == 503)
    run("tenant", back, slug)
    assert system.page(slug).status == 200


def test_archived_tenant_can_only_be_restored(system, make_tenant):
    slug = make_tenant()
    system.run("tenant", "archive", slug)
    for action in ("suspend", "resume", "maintenance"):
        assert system.cli("tenant", action, slug).returncode == FAILED
    assert system.cli("tenant", "rename", slug, f"{slug}-z").returncode == FAILED
    assert system.page(slug).status == 410
    system.run("tenant", "restore", slug)
    assert system.cli("tenant", "restore", slug).returncode == FAILED


def test_rename(system, run, make_tenant):
    slug = make_tenant()
    run("tenant", "rename", slug, f"{slug}-b")
    answer = system.page(slug, "/deep/path?with=query&x")
    assert answer.status == 308
    assert (
        answer.header("Location")
        == f"http://{slug}-b.localhost:{system.port}/deep/path?with=query&x"
    )
    assert system.page(f"{slug}-b", "/whoami").status == 200
    # twice, and the first name leads to the last
    run("tenant", "rename", f"{slug}-b", f"{slug}-c")
    for former in (slug, f"{slug}-b"):
        assert system.page(former).header("Location") == f"http://{slug}-c.localhost:{system.port}/"
    # and back again
    run("tenant", "rename", f"{slug}-c", slug)
    assert system.page(slug).status == 200
    assert system.page(f"{slug}-c").header("Location") == f"http://{slug}.localhost:{system.port}/"


def test_former_name_is_held_back_from_others(system, make_tenant):
    slug, other = make_tenant(), make_tenant()
    system.run("tenant", "rename", slug, f"{slug}-b")
    assert system.cli("tenant", "create", slug, "--name", "Squatter").returncode == FAILED
    assert system.cli("tenant", "rename", other, slug).returncode == FAILED
    assert system.page(slug).status == 308


def test_suspended_tenant_is_suspended_at_its_former_name_too(system, make_tenant):
    slug = make_tenant()
    system.run("tenant", "rename", slug, f"{slug}-b")
    system.run("tenant", "suspend", f"{slug}-b")
    assert system.page(slug).status == 403


def test_set(system, run, make_tenant):
    slug = make_tenant(settings={"title": "Before", "color": "red"})
    run(
        "tenant",
        "set",
        slug,
        "--name",
        "New name",
        "--plan",
        "silver",
        "--setting",
        "title=After",
        "--unlisted",
    )
    tenant = system.page(slug, "/api/tenant/current").json()["tenant"]
    assert (tenant["name"], tenant["plan"]) == ("New name", "silver")
    assert tenant["settings"] == {"title": "After", "color": "red"}
    headers = system.page(slug, "/whoami").json()["headers"]
    assert {name.lower(): value for name, value in headers.items()}["x-tenant-plan"] == "silver"
    assert "After" in system.page(slug).text


def test_domain_add_and_remove(system, run, make_tenant):
    slug = make_tenant()
    host = f"www.{slug}.example"
    assert system.get(host).status == 404
    run("domain", "add", slug, host)
    assert system.get(f"{host}:{system.port}", "/whoami").status == 200
    assert host in json.dumps(system.json("domain", "list"))
    assert host in system.run("domain", "list", slug)
    run("domain", "remove", slug, host)
    assert system.get(host).status == 404
    assert system.page(slug).status == 200


def test_domain_typed_with_letters_of_any_script(system, make_tenant):
    slug = make_tenant()
    system.run("domain", "add", slug, "Bücher.Example")
    assert system.json("domain", "list", slug)["domains"][0]["host"] == "xn--bcher-kva.example"
    assert system.get("xn--bcher-kva.example", "/whoami").status == 200
    system.run("domain", "remove", slug, "BÜCHER.example")
    assert system.get("xn--bcher-kva.example").status == 404


def test_domain_primary(system, run, make_tenant):
    slug = make_tenant()
    first, second = f"one.{slug}.example", f"two.{slug}.example"
    for host in (first, second):
        system.run("domain", "add", slug, host)
    run("domain", "primary", slug, first)
    for host in (f"{slug}.localhost", second):
        answer = system.get(f"{host}:{system.port}", "/p?q=1")
        assert answer.status == 308
        assert answer.header("Location") == f"http://{first}:{system.port}/p?q=1"
    assert system.get(first).status == 200
    run("domain", "primary", slug, second, "--no-redirect")
    for host in (f"{slug}.localhost", first, second):
        assert system.get(host).status == 200
    assert system.json("tenant", "show", slug)["tenant"]["primaryDomain"] == second
    run("domain", "primary", slug, second)
    assert system.get(first).status == 308
    run("domain", "primary", slug, "--none")
    for host in (f"{slug}.localhost", first, second):
        assert system.get(host).status == 200
    assert system.json("tenant", "show", slug)["tenant"]["primaryDomain"] is None


def test_removing_the_primary_domain_ends_its_redirects(system, make_tenant):
    slug = make_tenant()
    system.run("domain", "add", slug, f"{slug}.example")
    system.run("domain", "primary", slug, f"{slug}.example")
    assert system.page(slug).status == 308
    system.run("domain", "remove", slug, f"{slug}.example")
    assert system.page(slug).status == 200


def test_flags(system, run, make_tenant):
    one, other, key = make_tenant(), make_tenant(), f"flag-{make_tenant()}"[:60]

    def flags():
        return tuple(
            system.page(slug, "/api/tenant/current").json()["tenant"]["flags"].get(key)
            for slug in (one, other)
        )

    assert flags() == (None, None)
    run("flag", "set", key, "off", "--description", "What it is for")
    assert flags() == (False, False)
    run("flag", "set", key, "on", "--tenant", one)
    assert flags() == (True, False)
    run("flag", "set", key, "on")
    assert flags() == (True, True)
    run("flag", "set", key, "off", "--tenant", one)
    assert flags() == (False, True)
    run("flag", "unset", key, "--tenant", one)
    assert flags() == (True, True)
    listed = {flag["key"]: flag for flag in system.json("flag", "list")["flags"]}
    assert listed[key]["default"] is True and listed[key]["description"] == "What it is for"
    assert key in system.run("flag", "list", "--tenant", one)
    run("flag", "remove", key)
    assert flags() == (None, None)


def test_tenants_are_found_by_id_too(system, make_tenant):
    slug = make_tenant()
    tenant = system.json("tenant", "show", slug)["tenant"]
    assert system.json("tenant", "show", tenant["id"])["tenant"] == tenant
    system.run("tenant", "suspend", tenant["id"])
    assert system.page(slug).status == 403


def test_own_upstream(system, make_tenant, tmp_path):
    """A tenant with an application of its own is served by it, with the same headers."""
    class Application(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = f"own {self.path} {self.headers['X-Tenant-Slug']}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        slug = make_tenant()
        system.run("tenant", "set", slug, "--upstream", f"127.0.0.1:{server.server_port}")
        assert system.page(slug, "/x").text == f"own /{slug}.localhost/x {slug}"
        system.run("tenant", "set", slug, "--upstream", "")
        assert "own" not in system.page(slug, "/whoami").text[:4]
        server.shutdown()


# ---- what it says ----

READS = [
    ("tenant", "list"),
    ("tenant", "show", "demo"),
    ("domain", "list"),
    ("domain", "list", "demo"),
    ("flag", "list"),
    ("flag", "list", "--tenant", "demo"),
    ("cache", "show"),
    ("hosts",),
    ("audit", "list"),
    ("audit", "list", "--tenant", "demo", "--action", "tenant.create", "--limit", "1"),
    ("audit", "verify"),
    ("status",),
    ("config",),
    ("version",),
]


@pytest.mark.parametrize("arguments", READS, ids=" ".join)
def test_one_json_document_and_nothing_else(system, arguments):
    for line in (["--json", *arguments], [*arguments, "--json"]):
        done = system.cli(*line)
        assert done.returncode == OK and done.stderr == ""
        json.loads(done.stdout)
    people = system.cli(*arguments)
    assert people.returncode == OK and people.stderr == ""
    assert people.stdout.endswith("\n") and not people.stdout.lstrip().startswith("{")


def test_lists_are_whole_whatever_their_length(system, make_tenant):
    slugs = [make_tenant() for _ in range(5)]
    listed = [tenant["slug"] for tenant in system.json("tenant", "list")["tenants"]]
    assert set(slugs) <= set(listed) and listed == sorted(listed)
    assert len(system.json("tenant", "list", "--limit", "2")["tenants"]) == 2
    system.run("tenant", "suspend", slugs[0])
    suspended = [
        t["slug"] for t in system.json("tenant", "list", "--status", "suspended")["tenants"]
    ]
    assert slugs[0] in suspended and "demo" not in suspended


def test_columns_are_aligned(system, make_tenant):
    make_tenant(name="日本語のテナント")
    lines = [line for line in system.run("tenant", "list").splitlines() if line]
    assert lines[0].split()[:2] == ["SLUG", "NAME"]

    def column(line, word):
        """The columns of a terminal before the word, which stands alone between blanks."""
        before = re.search(rf" {word} ", line).start()
        return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line[:before])

    for line in lines[1:]:
        status = re.search(r" (active|suspended|archived|maintenance) ", line)[1]
        assert column(line, status) == column(lines[0], "STATUS"), lines


FAILURES = [
    # what exists or does not
    (("tenant", "show", "nobody"), FAILED, "nobody"),
    (("tenant", "suspend", "nobody"), FAILED, "nobody"),
    (("tenant", "create", "demo", "--name", "Again"), FAILED, "demo"),
    (("tenant", "create", "admin", "--name", "Reserved"), FAILED, "admin"),
    (("tenant", "rename", "entreprise1", "demo"), FAILED, "demo"),
    (("tenant", "restore", "demo"), FAILED, "demo"),
    (("domain", "remove", "demo", "not.there.example"), FAILED, "not.there.example"),
    (("domain", "add", "demo", "sub.localhost"), FAILED, "localhost"),
    (("domain", "primary", "demo", "not.there.example"), FAILED, "not.there.example"),
    (("flag", "unset", "not-there", "--tenant", "demo"), FAILED, "not-there"),
    (("flag", "remove", "not-there"), FAILED, "not-there"),
    (("audit", "list", "--tenant", "nobody"), FAILED, "nobody"),
    # what has not the right form
    (("tenant", "create", "Not A Slug", "--name", "X"), FAILED, "slug"),
    (("tenant", "create", "x" * 64, "--name", "X"), FAILED, "slug"),
    (("tenant", "create", "-x", "--name", "X"), USAGE, "-x"),
    (("tenant", "create", "empty-name", "--name", ""), FAILED, "name"),
    (("domain", "add", "demo", "not a host"), FAILED, "host"),
    (("domain", "add", "demo", "a_b.example"), FAILED, "host"),
    (("domain", "add", "demo", "*.example"), FAILED, "host"),
    (("domain", "add", "demo", "127.0.0.1"), FAILED, "address"),
    (("flag", "set", "1bad", "on"), FAILED, "key"),
    # usage
    (("tenant", "create", "no-name"), USAGE, "--name"),
    (("tenant",), USAGE, "tenant"),
    (("tenant", "dance"), USAGE, "dance"),
    (("dance",), USAGE, "dance"),
    (("tenant", "show"), USAGE, "REF"),
    (("tenant", "show", "demo", "extra"), USAGE, "extra"),
    (("tenant", "show", "demo", "--wrong"), USAGE, "--wrong"),
    (("tenant", "create", "x", "--name"), USAGE, "--name"),
    (("tenant", "set", "demo"), USAGE, "nothing"),
    (("tenant", "create", "x", "--name", "X", "--setting", "no-equals"), USAGE, "no-equals"),
    (("flag", "set", "beta", "maybe"), USAGE, "maybe"),
    (("flag", "unset", "beta"), USAGE, "--tenant"),
    (("domain", "primary", "demo"), USAGE, "--none"),
    (("audit", "list", "--limit", "many"), USAGE, "limit"),
    (("help", "dance"), USAGE, "dance"),
]


@pytest.mark.parametrize(
    "arguments, code, mention",
    FAILURES,
    ids=lambda v: " ".join(v)[:50] if isinstance(v, tuple) else "",
)
def test_failure_has_its_exit_code_and_says_why_on_stderr(system, arguments, code, mention):
    before = system.json("status")["database"]["generation"]
    done = system.cli(*arguments)
    assert done.returncode == code, done
    assert done.stdout == ""
    first = done.stderr.splitlines()[0]
    assert first.startswith("tenantry: "), done.stderr
    assert mention in done.stderr
    assert not first.endswith(".")
    if code == FAILED:
        assert first.startswith(f"tenantry: {' '.join(arguments[:2])}: ")
        assert done.stderr.count("\n") == 1
    document = system.cli("--json", *arguments)
    assert document.returncode == code and document.stdout == ""
    problem = json.loads(document.stderr)
    assert problem["code"] and problem["detail"]
    assert system.json("status")["database"]["generation"] == before


def test_no_arguments_lists_the_subcommands(system):
    done = system.cli()
    assert done.returncode == USAGE and done.stdout == ""
    for word in ("tenant create", "cache rebuild", "run", "serve"):
        assert word in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("tenant", "list"),
        ("tenant", "create", "x", "--name", "X"),
        ("audit", "verify"),
        ("status",),
        ("cache", "rebuild"),
    ],
    ids=" ".join,
)
def test_no_daemon_is_exit_code_3(system, tmp_path, arguments):
    done = system.cli(*arguments, environment={"TENANTRY_SOCKET": str(tmp_path / "nobody.sock")})
    assert done.returncode == UNREACHABLE and done.stdout == ""
    assert "nobody.sock" in done.stderr
    problem = system.cli(
        "--json", *arguments, environment={"TENANTRY_SOCKET": str(tmp_path / "nobody.sock")}
    )
    assert problem.returncode == UNREACHABLE
    assert json.loads(problem.stderr)["code"]


def test_what_needs_no_daemon_works_without(system, tmp_path):
    environment = {"TENANTRY_SOCKET": str(tmp_path / "nobody.sock")}
    for arguments in (("hosts",), ("config",), ("version",), ("help",), ("nginx-config",)):
        done = system.cli(*arguments, environment=environment)
        assert done.returncode == OK and done.stdout, (arguments, done)
    shown = system.cli("--json", "cache", "show", environment=environment)
    assert shown.returncode == OK
    assert json.loads(shown.stdout)["generation"] == system.json("cache", "show")["generation"]


def test_wrong_token_is_exit_code_4(system, tmp_path):
    wrong = tmp_path / "wrong.token"
    wrong.write_text("tno_" + "x" * 43 + "\n")
    wrong.chmod(0o600)
    for arguments in (("tenant", "list"), ("cache", "rebuild"), ("tenant", "suspend", "demo")):
        done = system.cli(*arguments, environment={"TENANTRY_OPERATOR_TOKEN": str(wrong)})
        assert done.returncode == DENIED and done.stdout == ""
        assert "token" in done.stderr and "tno_" not in done.stderr
    assert system.page("demo").status == 200


def test_missing_token_file_says_which(system, tmp_path):
    done = system.cli(
        "tenant", "list", environment={"TENANTRY_OPERATOR_TOKEN": str(tmp_path / "no.token")}
    )
    assert done.returncode in (UNREACHABLE, DENIED)
    assert "no.token" in done.stderr


def test_help_is_there_for_every_subcommand(system):
    whole = system.run("help")
    listed = whole.partition("subcommands:\n")[2].partition("\n\n")[0].splitlines()
    names = {re.match(r"  ([a-z-]+( [a-z-]+)?)", line)[1].strip() for line in listed}
    assert len(names) > 25 and {"tenant create", "cache rebuild", "run", "nginx-config"} <= names
    for name in sorted(names):
        for line in (("help", *name.split()), (*name.split(), "--help")):
            done = system.cli(*line)
            assert done.returncode == OK and done.stderr == "", (line, done)
            assert done.stdout.startswith(f"usage: tenantry {name}"), (line, done)
    assert "exit codes" in whole


def on_a_terminal(system, *arguments, environment=None):
    """Runs the command with its output on a terminal; what it wrote."""
    leader, terminal = pty.openpty()
    command = subprocess.Popen(
        [system.command, *arguments],
        env=system.environment(TERM="xterm", **(environment or {})),
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    output = b""
    try:
        while part := os.read(leader, 65536):
            output += part
    except OSError:
        pass  # the other side has closed: EIO
    os.close(leader)
    assert command.wait(10) == OK
    return output


def test_colour_is_for_terminals_and_can_be_switched_off(system):
    assert b"\x1b[" in on_a_terminal(system, "tenant", "list")
    assert b"\x1b[" not in on_a_terminal(system, "tenant", "list", environment={"NO_COLOR": "1"})
    assert b"\x1b[" in on_a_terminal(system, "tenant", "list", environment={"NO_COLOR": ""})
    assert b"\x1b[" not in on_a_terminal(system, "--no-color", "tenant", "list")
    assert b"\x1b[" not in on_a_terminal(system, "--json", "tenant", "list")
    assert "\x1b[" not in system.run("tenant", "list")


def test_a_name_cannot_steer_the_terminal(system, make_tenant):
    answer = system.api(
        "POST", "/v1/tenants", {"slug": make_tenant() + "e", "name": "\x1b[31mred\x07\n\x9b0m"}
    )
    assert answer.status in (201, 400)
    for output in (
        on_a_terminal(system, "--no-color", "tenant", "list"),
        on_a_terminal(system, "--no-color", "audit", "list"),
    ):
        assert b"\x1b" not in output and b"\x07" not in output and b"\xc2\x9b" not in output


def test_a_closed_pipe_is_no_disaster(system):
    line = f'"{system.command}" tenant list | head -c 1 >/dev/null; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", line], env=system.environment(), capture_output=True, text=True, check=False
    )
    assert done.stderr == "" and done.stdout.strip() in ("0", "141")


def test_full_disk_is_told(system):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [system.command, "tenant", "list"],
            env=system.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == FAILED and "output" in done.stderr


# ---- the trail ----


def test_every_change_leaves_its_entry(system, make_tenant):
    slug, key = make_tenant(), "audited"
    lines = [
        ("tenant", "set", slug, "--name", "Renamed", "--plan", "p", "--setting", "a=b"),
        ("tenant", "suspend", slug),
        ("tenant", "resume", slug),
        ("tenant", "maintenance", slug),
        ("tenant", "resume", slug),
        ("tenant", "archive", slug),
        ("tenant", "restore", slug),
        ("tenant", "rename", slug, f"{slug}-b"),
        ("domain", "add", f"{slug}-b", f"{slug}.example"),
        ("domain", "primary", f"{slug}-b", f"{slug}.example"),
        ("domain", "primary", f"{slug}-b", "--none"),
        ("domain", "remove", f"{slug}-b", f"{slug}.example"),
        ("flag", "set", key, "on"),
        ("flag", "set", key, "off", "--tenant", f"{slug}-b"),
        ("flag", "unset", key, "--tenant", f"{slug}-b"),
        ("flag", "remove", key),
    ]
    before = {entry["id"] for entry in system.json("audit", "list", "--limit", "1000")["entries"]}
    for line in lines:
        system.run(*line)
    new = [
        e
        for e in system.json("audit", "list", "--limit", "1000")["entries"]
        if e["id"] not in before
    ]
    assert len(new) == len(lines), [e["action"] for e in new]
    for entry in new:
        assert entry["actor"]["kind"] == "operator"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["at"])
        assert re.fullmatch(r"[0-9a-f]{64}", entry["hash"])
        assert entry["generation"] > 0
    generations = [entry["generation"] for entry in reversed(new)]
    assert generations == sorted(set(generations))
    actions = [entry["action"] for entry in reversed(new)]
    assert actions[:8] == [
        "tenant.update",
        "tenant.suspend",
        "tenant.resume",
        "tenant.maintenance",
        "tenant.resume",
        "tenant.archive",
        "tenant.restore",
        "tenant.rename",
    ]
    assert all(action.startswith(("domain.", "tenant.")) for action in actions[8:12])
    assert all(action.startswith("flag.") for action in actions[12:])
    assert system.json("audit", "verify")["valid"] is True


def test_a_change_that_changes_nothing_leaves_nothing(system, make_tenant):
    slug = make_tenant()
    before = system.json("status")["database"]["generation"]
    system.run("tenant", "set", slug, "--name", f"Tenant {slug}")
    assert system.json("status")["database"]["generation"] == before


def test_operators_token_is_in_no_log_and_no_trail(system):
    eventually(lambda: system.page("demo"))
    assert system.token not in system.run("audit", "list", "--limit", "1000")
    for path in system.log_files():
        assert system.token not in path.read_text(errors="replace")
    assert [
        t["slug"] for t in system.json("tenant", "list")["tenants"] if t["slug"] in DEMO
    ] == sorted(DEMO)
