"""`tenantry run` where it is under strain: a person in a hurry, a terminal that takes nothing, a supervisor
that stands still, a user who is not root."""

import contextlib
import http.client
import os
import pty
import shutil
import signal
import subprocess
import time

import pytest

from support import processes
from support.processes import wait_until


def test_second_ctrl_c_does_not_wait(new_system):
    system = new_system()
    deaf = "trap '' TERM INT; echo deaf; while :; do sleep 0.1; done"
    system.start("--app", deaf, demo=False, wait=False, environment={"TENANTRY_UPSTREAM": "127.0.0.1:9"})
    wait_until(lambda: "deaf" in system.log.read_text(), "the application to run")
    leader = system.process.pid
    os.kill(leader, signal.SIGINT)
    wait_until(lambda: "Ctrl-C again" in system.log.read_text(), "it to begin to stop")
    os.kill(leader, signal.SIGINT)
    assert system.process.wait(3) == 0
    system.process = None
    assert not processes.session(leader)


def test_application_that_does_not_stop_is_killed_in_the_end(new_system):
    system = new_system()
    deaf = "trap '' TERM; echo deaf; while :; do sleep 0.1; done"
    system.start("--app", deaf, demo=False, wait=False, environment={"TENANTRY_UPSTREAM": "127.0.0.1:9"})
    wait_until(lambda: "deaf" in system.log.read_text(), "the application to run")
    assert system.stop(signal.SIGINT) == 0
    assert "the application did not end within 5 s and is killed" in system.log.read_text()


def test_what_an_application_let_go_of_is_stopped_too(new_system):
    system = new_system()
    application = "setsid sh -c 'echo $$ >stray.pid; exec sleep 1000' & exec sleep 1000"
    system.start("--app", application, demo=False, wait=False, environment={"TENANTRY_UPSTREAM": "127.0.0.1:9"})
    path = system.state.parent / "stray.pid"
    wait_until(lambda: path.exists() and path.read_text().strip(), "the stray process")
    stray = int(path.read_text())
    assert processes.is_alive(stray)
    assert system.stop(signal.SIGINT) == 0
    assert not processes.is_alive(stray)


def many_requests(system, count):
    """Requests over one connection, whose log lines fill any pipe: each must be answered."""
    path = "/whoami?" + "x" * 2000
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", system.port, timeout=10)) as connection:
        for _ in range(count):
            connection.request("GET", path, headers={"Host": system.host("demo")})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200


def test_stopped_supervisor_holds_nobody(new_system):
    """Ctrl-Z in the terminal."""
    system = new_system().start()
    system.freeze_run()
    many_requests(system, 1000)


def test_stopped_terminal_holds_nobody(new_system):
    """Ctrl-S in the terminal: lines are dropped and counted, requests are answered."""
    system = new_system()
    leader, terminal = pty.openpty()
    system.state.parent.mkdir(exist_ok=True)
    system.process = subprocess.Popen(
        [system.command, "run", "--demo", "--no-color"],
        env=system.environment(),
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
        cwd=system.state.parent,
        start_new_session=True,
    )
    os.close(terminal)
    system.log.touch()
    system.wait_ready()
    many_requests(system, 1000)  # nobody reads the terminal: its buffer is full long before the last
    os.set_blocking(leader, False)
    seen = b""

    def read():
        nonlocal seen
        with contextlib.suppress(BlockingIOError):
            while part := os.read(leader, 65536):
                seen += part
        return b"requests not shown)" in seen

    read()
    many_requests(system, 1)
    wait_until(read, "the count of the lines that were dropped")
    assert b"demo subdomain 200 GET /whoami" in seen.rpartition(b"not shown)")[2]
    os.set_blocking(leader, True)
    os.kill(system.process.pid, signal.SIGINT)
    with contextlib.suppress(OSError):  # EIO: everyone has closed the terminal
        while os.read(leader, 65536):
            pass
    os.close(leader)
    assert system.process.wait(15) == 0
    system.process = None


@pytest.mark.skipif(os.getuid() != 0, reason="the other tests run as an ordinary user already")
def test_ordinary_user_needs_no_root(new_system, build):
    system = new_system()
    for part in ("tenantry", "ngx_http_tenantry_module.so", "examples/storefront"):
        place = system.state.parent / "bin" / part
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(build / part, place)
    system.command = system.state.parent / "bin" / "tenantry"
    for path in (system.state.parent, *system.state.parent.rglob("*")):
        shutil.chown(path, "nobody", "nogroup")
    with open(system.log, "ab") as log:
        system.process = subprocess.Popen(
            [system.command, "run", "--demo"],
            env=system.environment(HOME="/nonexistent"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=system.state.parent,
            start_new_session=True,
            user="nobody",
            group="nogroup",
            extra_groups=[],
        )
    system.wait_ready()
    assert system.page("demo", "/whoami").status == 200
    assert "user root" not in (system.state / "nginx.conf").read_text()
    owners = {path.owner() for path in system.state.rglob("*")}
    assert owners == {"nobody"}


def test_running_requests_are_answered_before_it_stops(new_system):
    system = new_system()
    slow = (
        "import http.server,time\n"
        "class A(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        time.sleep(1.5)\n"
        "        self.send_response(200); self.send_header('Content-Length', '4'); self.end_headers()\n"
        "        self.wfile.write(b'slow')\n"
        f"http.server.HTTPServer(('127.0.0.1', {system.port + 1}), A).serve_forever()\n"
    )
    script = system.state.parent / "slow.py"
    script.write_text(slow)
    address = f"127.0.0.1:{system.port + 1}"
    system.start("--app", f"exec /usr/bin/python3 {script}", environment={"TENANTRY_UPSTREAM": address}, wait=False)
    wait_until(lambda: "Ctrl-C stops everything" in system.log.read_text(), "it to start", 20)
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", system.port, timeout=10)) as connection:
        connection.request("GET", "/", headers={"Host": system.host("demo")})
        time.sleep(0.5)  # it is with the application now
        os.kill(system.process.pid, signal.SIGINT)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"slow")
    assert system.process.wait(10) == 0
    system.process = None
