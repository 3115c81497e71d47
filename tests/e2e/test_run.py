"""`tenantry run` as a person uses it: starting, stopping, starting again, and what can be in the way."""

import contextlib
import errno
import http.server
import os
import re
import signal
import socket
import subprocess
import threading

import pytest

from support import processes, witness
from support.processes import wait_until
from support.system import DEMO, socket_answers


@pytest.mark.parametrize(
    "how, to_group",
    [
        (signal.SIGINT, True),
        (signal.SIGTERM, False),
        (signal.SIGINT, False),
        (signal.SIGHUP, False),
    ],
)
def test_stopping_leaves_no_process_and_no_socket(new_system, how, to_group):
    system = new_system().start()
    leader = system.process.pid
    assert (
        len(processes.session(leader)) >= 5
    )  # itself, the daemon, nginx and its workers, the application
    assert system.stop(how, to_group) == 0
    assert not processes.session(leader)
    left = [
        path.name for path in system.state.rglob("*") if path.is_socket() or path.suffix == ".pid"
    ]
    assert not left, left
    with contextlib.closing(socket.socket()) as probe:
        assert probe.connect_ex(("127.0.0.1", system.port)) != 0


def test_killed_run_leaves_nothing_that_a_next_start_trips_over(new_system):
    """After kill -9 nobody can tidy up: the children end by themselves or the next start copes."""
    system = new_system().start()
    system.run("tenant", "create", "kept", "--name", "Kept")
    process, system.process = system.process, None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_until(
        lambda: not processes.session(process.pid), "the children of a killed run to end", 15
    )
    system.start()
    assert system.page("kept").status == 200
    witness.assert_edge_equals_database(system)


def test_second_start_finds_its_data(new_system):
    system = new_system().start()
    system.run("tenant", "create", "kept", "--name", "Kept", "--setting", "title=Kept title")
    system.run("domain", "add", "kept", "kept.example")
    system.run("tenant", "rename", "entreprise2", "renamed")
    before = (
        witness.tenants(system),
        witness.domains(system),
        system.json("status")["database"],
        system.token,
    )
    system.stop()
    for _ in range(2):
        system.start()
        assert (
            witness.tenants(system),
            witness.domains(system),
            system.json("status")["database"],
            system.token,
        ) == before
        witness.assert_edge_equals_database(system)
        # the demo does not bring back what was renamed
        assert system.page("entreprise2").status == 308
        assert system.page("kept").status == 200
        assert "Kept title" in system.page("kept").text
        assert system.json("audit", "verify")["valid"] is True
        system.stop()


def test_port_in_use_is_a_clear_error_and_nothing_stays(new_system):
    system = new_system()
    with contextlib.closing(socket.socket()) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", system.port))
        other.listen()
        system.start(wait=False)
        process = system.process
        assert process.wait(15) == 1
        system.process = None
        wait_until(lambda: not processes.session(process.pid), "all processes to end")
    said = system.log.read_text()
    assert str(system.port) in said and "in use" in said.lower(), said
    assert len(said.splitlines()) < 15, said
    assert not socket_answers(system.state / "serve.sock")
    # and when the port is free again it starts
    system.log.unlink()
    system.start()
    assert system.page("demo").status == 200


def test_second_run_over_the_same_state_is_refused(own_system):
    system = own_system
    before = system.daemon_pid()
    with open(system.state.parent / "second.log", "w+") as log:
        second = subprocess.run(
            [system.command, "run", "--demo"], env=system.environment(TENANTRY_PORT=str(system.port + 1)),
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, timeout=20, check=False,
        )  # fmt: skip
        log.seek(0)
        said = log.read()
    assert second.returncode == 1, said
    assert "run" in said or "lock" in said or "already" in said
    assert system.daemon_pid() == before
    for slug in DEMO:
        assert system.page(slug, "/whoami").status == 200
        assert system.page(slug, "/api/tenant/current").status == 200


@pytest.mark.parametrize(
    "name", ["with some spaces", 'quo\'te "d" $x', "ünï-cödé", "semi;colon {brace}"]
)
def test_state_folder_of_any_name(new_system, name):
    system = new_system(name=name)
    if "$" in name:
        # nginx has no way to write a '$': a clear refusal is right, half a start is not
        done = system.cli("nginx-config")
        assert done.returncode != 0 and "$" in done.stderr and done.stdout == ""
        return
    system.start()
    for slug in DEMO:
        assert system.page(slug, "/whoami").status == 200
    system.run("tenant", "create", "spaced", "--name", "Spaced")
    assert system.page("spaced", "/api/tenant/current").status == 200
    assert {path.name for path in system.state.iterdir()} >= {
        "tenantry.db",
        "operator.token",
        "directory",
    }


def test_state_folder_too_long_for_a_socket_is_told(new_system):
    system = new_system(name="x" * 120)
    system.start(wait=False)
    process = system.process
    assert process.wait(15) != 0
    system.process = None
    said = system.log.read_text()
    assert "long" in said and "sock" in said, said
    assert not processes.session(process.pid)


def test_without_demo_it_starts_empty_and_says_how_to_go_on(new_system):
    system = new_system()
    system.start(demo=False, wait=False)
    system.wait_edge()
    assert system.json("tenant", "list")["tenants"] == []
    page = system.get(system.host(), "/auth/tenant-selection", [("Accept", "text/html")])
    assert page.status == 200
    system.run("tenant", "create", "first", "--name", "First")
    assert system.page("first").status == 502  # there is no application
    system.allowed_faults.append(r"\[crit\].*app\.sock failed")


def test_own_application_gets_the_requests(new_system):
    class Application(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = f"{self.path} {self.headers['X-Tenant-Slug']} {self.headers['Host']}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        system = new_system()
        upstream = {
            "TENANTRY_UPSTREAM": f"127.0.0.1:{server.server_port}",
            "TENANTRY_REWRITE": "off",
        }
        system.start("--app", "exec sleep 1000", demo=False, environment=upstream, wait=False)
        system.wait_edge()
        system.run("tenant", "create", "own", "--name", "Own")
        assert system.page("own", "/x?y").text == f"/x?y own own.localhost:{system.port}"
        system.stop()
        server.shutdown()


def test_ipv6_is_listened_at_too(system):
    request = b"GET /whoami HTTP/1.1\r\nHost: demo.localhost\r\nConnection: close\r\n\r\n"
    try:
        connection = socket.create_connection(("::1", system.port), timeout=5)
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            pytest.skip("this machine has no IPv6")
        raise
    with connection:
        connection.sendall(request)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200") and b"/demo.localhost/whoami" in answer


def test_request_lines_can_be_turned_off(new_system):
    system = new_system().start(environment={"TENANTRY_REQUEST_LOG": "off"})
    for number in range(5):
        system.page("demo", f"/quiet-{number}")
    system.stop()
    assert "/quiet-" not in system.log.read_text()


def test_request_line_tells_what_the_edge_decided(new_system):
    system = new_system().start()
    system.run("tenant", "suspend", "entreprise1")
    system.page("demo", "/whoami?/line-found")
    system.page("nobody", "/line-unknown")
    system.page("entreprise1", "/line-suspended")
    system.stop()
    lines = {
        word: line
        for line in system.log.read_text().splitlines()
        for word in re.findall(r"/line-(\w+)", line)
    }
    assert re.search(r"demo\.localhost\S* . demo subdomain 200", lines["found"]), lines
    assert "nobody.localhost" in lines["unknown"] and "404" in lines["unknown"]
    assert "entreprise1.localhost" in lines["suspended"] and "403" in lines["suspended"]


def test_a_visitor_cannot_forge_a_line_of_the_log(new_system):
    system = new_system().start()
    rest = b" HTTP/1.1\r\nHost: demo.localhost\r\nUser-Agent: \x1b]0;x\x07\r\nConnection: close\r\n\r\n"
    system.raw(b"GET /%0a%0dforged-line%1b[31m" + rest)
    system.raw(b"GET /x\x1b[31m" + rest)
    system.stop()
    text = system.log.read_bytes()
    assert b"\x1b" not in text and b"\x07" not in text
    assert not any(line.startswith(b"forged-line") for line in text.splitlines())


@pytest.mark.parametrize("part", ["nginx: master", "tenantry serve", "application"])
def test_what_dies_is_started_again(new_system, part):
    system = new_system().start()
    session = processes.session(system.process.pid)
    if part == "tenantry serve":
        pid = system.daemon_pid()
    elif part == "application":
        known = {system.process.pid, system.daemon_pid(), system.nginx_pid(), *system.worker_pids()}
        pid = next(pid for pid in processes.children(system.process.pid) if pid not in known)
    else:
        pid = system.nginx_pid()
    assert pid in session
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not processes.is_alive(pid), "it to die")

    def all_well():
        with contextlib.suppress(OSError):
            if all(
                system.page(slug, path).status == 200
                for slug in DEMO
                for path in ("/whoami", "/api/tenant/current")
            ):
                return True
        return False

    wait_until(all_well, f"{part} to be back", 20)
    system.allowed_faults.append("bind|exited on signal")
    system.run("tenant", "create", "after", "--name", "After")
    assert system.page("after").status == 200


def test_wrong_configuration_is_named_with_its_line_and_nothing_starts(new_system):
    system = new_system()
    system.state.mkdir(parents=True)
    cases = {
        "prot = 3000\n": ("tenantry.conf:1", "prot", "port"),
        "# a comment\nport = many\n": ("tenantry.conf:2", "port", "many"),
        "port = 0\n": ("tenantry.conf:1", "port"),
        "listen = nowhere at all\n": ("tenantry.conf:1", "listen"),
        "log_level = loud\n": ("tenantry.conf:1", "log_level", "loud"),
        "base_domains = a..b\n": ("tenantry.conf:1", "base_domains"),
    }
    for text, mentions in cases.items():
        (system.state / "tenantry.conf").write_text(text)
        for subcommand in (("run", "--demo"), ("serve",), ("tenant", "list"), ("config",)):
            done = system.cli(*subcommand, environment={"TENANTRY_PORT": None})
            assert done.returncode == 2, (text, subcommand, done)
            for mention in mentions:
                assert mention in done.stderr, (text, done.stderr)
    (system.state / "tenantry.conf").unlink()
    done = system.cli("config", environment={"TENANTRY_PORT": "70000"})
    assert done.returncode == 2 and "TENANTRY_PORT" in done.stderr
    assert sorted(path.name for path in system.state.iterdir()) == []


def test_configuration_file_is_found_and_its_values_used(new_system):
    system = new_system()
    system.state.mkdir(parents=True)
    (system.state / "tenantry.conf").write_text(
        f"port = {system.port}\nbase_domains = localhost, app.example\nrequest_log = off\n"
    )
    system.start(environment={"TENANTRY_PORT": None})
    answer = system.get("demo.app.example", "/whoami")
    assert answer.status == 200 and answer.json()["path"] == "/demo.app.example/whoami"
    assert system.get("app.example", "/api/tenant/current").json()["code"] == "no_tenant"
    keys = {key["key"]: key for key in system.json("config")["keys"]}
    assert "tenantry.conf:2" in keys["base_domains"]["origin"]
    assert keys["port"]["origin"] == "environment" or "tenantry.conf:1" in keys["port"]["origin"]
    assert keys["threads"]["origin"] == "default"


def test_generated_configuration_is_nginxs_own_and_passes_its_check(system):
    printed = system.run("nginx-config")
    assert printed == (system.state / "nginx.conf").read_text()
    done = subprocess.run(
        ["/usr/sbin/nginx", "-t", "-q", "-c", str(system.state / "nginx.conf"), "-e", "stderr"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_state_files_are_not_for_everyone(system):
    for name in ("operator.token", "token.jwks"):
        assert (system.state / name).stat().st_mode & 0o777 == 0o600
    assert (system.state / "serve.sock").stat().st_mode & 0o007 == 0
    assert (system.state / "tenantry.db").stat().st_mode & 0o022 == 0
    assert (system.state / "directory").stat().st_mode & 0o022 == 0
