"""A whole system of its own: `tenantry run --demo` in a private state folder, on a locked port."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from support import processes, web
from support.ports import Port
from support.processes import wait_until

DEMO = ("demo", "entreprise1", "entreprise2")

# what no log may have: nginx's own words for what must not happen, and the sanitizers' reports
FAULTS = re.compile(
    r"\[(alert|crit|emerg)\]|ERROR: \w+Sanitizer|runtime error:|SUMMARY: \w+Sanitizer|Assertion .* failed"
)


class System:
    """Start it, ask it, stop it. `state` and `port` stay the same over a restart."""

    def __init__(self, build, state=None, port=None, name="state"):
        self.build = pathlib.Path(build)
        self.command = self.build / "tenantry"
        self._folder = (
            pathlib.Path(tempfile.mkdtemp(prefix="tenantry-e2e-")) if state is None else None
        )
        self.state = pathlib.Path(state) if state is not None else self._folder / name
        self._lock = Port() if port is None else None
        self.port = port if port is not None else self._lock.number
        self.log = self.state.parent / f"{self.state.name}-run.log"
        self.process = None
        self.allowed_faults = []  # expressions for lines of the logs that a test provokes
        self._daemons = []
        self._was_ready = False

    # ---- life ----

    def start(self, *options, demo=True, environment=None, wait=True):
        """Starts it in the foreground of a session of its own, and waits until it answers."""
        assert self.process is None, "it runs already"
        self.state.parent.mkdir(parents=True, exist_ok=True)
        options = ("--demo", *options) if demo else options
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.command, "run", *options],
                env=self.environment(**(environment or {})),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.state.parent,
                start_new_session=True,
            )
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, timeout=20):
        """Waits until the application answers for a demonstration tenant: at the first start the one
        that is made last."""
        slug = DEMO[0] if self._was_ready else DEMO[-1]
        paths = ("/api/tenant/current", "/whoami")
        self._wait_answers(
            lambda: all(self.page(slug, path).status == 200 for path in paths), timeout
        )
        self._was_ready = True

    def wait_edge(self, timeout=20):
        """Waits until edge and daemon answer, whatever they have to say."""
        self._wait_answers(
            lambda: self.get(self.host(), "/api/tenant/cache").status == 200, timeout
        )

    def _wait_answers(self, condition, timeout):
        def answers():
            assert self.process.poll() is None, f"it ended with {self.process.returncode}"
            with contextlib.suppress(OSError, http.client.HTTPException):
                return condition()
            return False

        try:
            wait_until(answers, "the system to answer", timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}") from None

    def stop(self, how=signal.SIGTERM, to_group=False, check=True):
        """Stops it as a service manager does (SIGTERM to it alone) or as Ctrl-C does (SIGINT to
        the whole group); then nothing of it may be left. Gives its exit code."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        try:
            if process.poll() is None:
                (os.killpg if to_group else os.kill)(process.pid, how)
                os.kill(process.pid, signal.SIGCONT)
            try:
                code = process.wait(15)
            except subprocess.TimeoutExpired:
                raise AssertionError(f"did not stop within 15 s:\n{self.logs()}") from None
            self.stop_daemons()
            left = processes.session(process.pid)
            assert not left, f"processes are left: {left}"
        finally:
            for pid in processes.session(process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()
        if check:
            assert code == 0, f"ended with {code}:\n{self.logs()}"
            self.check_logs()
        return code

    def close(self):
        """Stops what runs, checks the logs, and takes the folder away."""
        try:
            self.stop()
        finally:
            self.stop_daemons()
            if self._lock is not None:
                self._lock.release()
            if self._folder is not None and not os.environ.get("TENANTRY_E2E_KEEP"):
                shutil.rmtree(self._folder, ignore_errors=True)

    def environment(self, **more):
        """The caller's, without any setting of Tenantry's but ours."""
        values = {k: v for k, v in os.environ.items() if not k.startswith("TENANTRY_")}
        values |= {"TENANTRY_STATE": str(self.state), "TENANTRY_PORT": str(self.port)}
        values |= {"LC_ALL": "C.UTF-8", **more}
        return {k: v for k, v in values.items() if v is not None}

    # ---- the daemon ----

    def daemon_pid(self):
        """The daemon's process id, None when none runs."""
        try:
            pid = int((self.state / "serve.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if processes.is_alive(pid) else None

    def kill_daemon(self):
        """Kills it the hard way and waits until it is gone."""
        pid = self.daemon_pid()
        assert pid is not None, f"no daemon runs:\n{self.logs()}"
        os.kill(pid, signal.SIGKILL)
        for daemon in self._daemons:
            if daemon.pid == pid:
                daemon.wait(10)
        wait_until(lambda: not processes.is_alive(pid), "the killed daemon to go", interval=0.001)
        return pid

    def freeze_run(self):
        """Keeps `tenantry run` from starting again what dies; stop() wakes it up."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def restart_daemon(self):
        """Kills the daemon the hard way and starts another, without the pause that `tenantry run`
        makes before it does so."""
        self.freeze_run()
        self.kill_daemon()
        return self.start_daemon()

    def start_daemon(self, wait=True, environment=None):
        """Starts a daemon beside the running edge, as a service manager would."""
        with open(self.log, "ab") as log:
            daemon = subprocess.Popen(
                [self.command, "serve"],
                env=self.environment(**(environment or {})),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.state.parent,
                start_new_session=True,
            )
        self._daemons.append(daemon)
        if wait:
            self.wait_daemon(daemon)
        return daemon

    def wait_daemon(self, daemon=None):
        def answers():
            assert daemon is None or daemon.poll() is None, f"daemon ended: {self.logs()}"
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self.api("GET", "/healthz").status == 200
            return False

        wait_until(answers, "the daemon to answer")

    def stop_daemons(self):
        """Ends the daemons that start_daemon began."""
        while self._daemons:
            daemon = self._daemons.pop()
            if daemon.poll() is None:
                daemon.terminate()
                try:
                    assert daemon.wait(10) == 0, f"the daemon ended with {daemon.returncode}"
                finally:
                    daemon.kill()

    # ---- nginx ----

    def nginx_pid(self):
        """The process id of nginx's master."""
        found = [
            pid
            for pid, command in processes.session(self.process.pid).items()
            if "nginx: master" in command
        ]
        # a worker that was just forked still has its master's title
        workers = {child for pid in found for child in processes.children(pid)}
        found = [pid for pid in found if pid not in workers]
        assert (
            len(found) == 1
        ), f"{len(found)} nginx masters run: {processes.session(self.process.pid)}"
        return found[0]

    def worker_pids(self):
        return processes.children(self.nginx_pid(), "nginx: worker")

    # ---- asking ----

    def host(self, slug=None):
        return f"{slug}.localhost:{self.port}" if slug else f"localhost:{self.port}"

    def get(self, host, path="/", headers=(), **more):
        """A GET through the edge; `host` as it stands in the Host header."""
        return web.request(self.port, host, path, headers=headers, **more)

    def http(self, host, path="/", method="GET", headers=(), body=None, timeout=10):
        return web.request(self.port, host, path, method, headers, body, timeout)

    def page(self, slug, path="/", **more):
        """A tenant's page."""
        return self.get(self.host(slug), path, **more)

    def raw(self, data, timeout=5):
        return web.raw(self.port, data, timeout)

    @property
    def token(self):
        return (self.state / "operator.token").read_text().strip()

    def connect(self):
        """A connection to the daemon's own socket."""
        return web.UnixConnection(str(self.state / "serve.sock"), timeout=15)

    def api(self, method, path, document=None, headers=(), connection=None):
        """A request to the daemon itself as the operator."""
        pairs = [("Host", "localhost"), ("Authorization", f"Bearer {self.token}"), *headers]
        body = None
        if document is not None:
            pairs.append(("Content-Type", "application/json"))
            body = json.dumps(document).encode()
        with contextlib.ExitStack() as stack:
            if connection is None:
                connection = stack.enter_context(contextlib.closing(self.connect()))
            return web.send(connection, method, path, pairs, body)

    def cli(self, *arguments, environment=None):
        """Runs the command. Gives its CompletedProcess, whatever it exits with."""
        return subprocess.run(
            [self.command, *map(str, arguments)],
            env=self.environment(**(environment or {})),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            cwd=self.state.parent,
            check=False,
        )

    def run(self, *arguments):
        """Runs the command, which must succeed; gives its output."""
        done = self.cli(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *arguments):
        """The same with --json, read."""
        return json.loads(self.run("--json", *arguments))

    # ---- logs ----

    def log_files(self):
        return [self.log, *sorted(self.state.rglob("*.log"))] if self.state.is_dir() else [self.log]

    def error_log(self):
        """What nginx has complained of so far."""
        return (self.state / "nginx.log").read_text(errors="replace")

    def logs(self, lines=60):
        parts = []
        for path in self.log_files():
            with contextlib.suppress(FileNotFoundError):
                text = path.read_text(errors="replace").splitlines()[-lines:]
                parts.append(f"--- {path.name}\n" + "\n".join(text))
        return "\n".join(parts)

    def check_logs(self):
        for path in self.log_files():
            with contextlib.suppress(FileNotFoundError):
                for line in path.read_text(errors="replace").splitlines():
                    if FAULTS.search(line) and not any(
                        re.search(a, line) for a in self.allowed_faults
                    ):
                        raise AssertionError(f"{path.name} has: {line}")


def socket_answers(path):
    """Whether somebody listens at a unix socket."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def eventually(check, timeout=10.0):
    """Repeats a function until it passes; its last failure is the one reported."""
    until = time.monotonic() + timeout
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > until:
                raise
        time.sleep(0.02)
