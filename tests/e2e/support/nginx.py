"""An nginx of the test's own with the module, in front of an application that echoes, over a directory
that the test writes: no database, no daemon. Its folder is private, its port locked, it is ready when
it answers, and closing it fails the test on an [alert], [crit] or [emerg] in its error log that the test
did not expect, on a sanitizer's report, or on an unclean exit."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

from support import web
from support.ports import Port
from support.processes import wait_until
from support.upstream import Upstream

ROOT = pathlib.Path(__file__).resolve().parents[3]
FAULTS = re.compile(
    r"\[(alert|crit|emerg)\]|ERROR: \w+Sanitizer|runtime error:|SUMMARY: \w+Sanitizer|Assertion .* failed"
)
STOP_TIMEOUT_S = 20

CONFIG = """\
daemon off;
{user}
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
{module}
events {{ worker_connections 512; }}
http {{
    log_format edge escape=json '{log_format}';
    access_log {folder}/access.log edge;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen unix:{folder}/ready.sock; access_log off; location / {{ return 204; }} }}
    upstream app {{ server unix:{folder}/app.sock; }}
    {directory}
    {http}
}}
"""

SERVER = """\
server {{
    listen 127.0.0.1:{port};
    {server}
    location / {{ proxy_pass http://app; {location} }}
}}
"""

TENANTS = [
    {
        "id": "0190b7a4-0000-7000-8000-000000000001",
        "slug": "demo",
        "name": "Demo",
        "plan": "pro",
        "hosts": ["www.demo.example", "shop.demo.example"],
        "formerSlugs": ["old-demo"],
        "flags": {"beta": True},
        "settings": {"theme": "dark", "region": "eu"},
    },
    {
        "id": "0190b7a4-0000-7000-8000-000000000002",
        "slug": "other",
        "name": "Other",
        "plan": "free",
        "hosts": ["other.example"],
    },
    {"id": "0190b7a4-0000-7000-8000-000000000003", "slug": "resting", "name": "R", "status": "maintenance"},
    {"id": "0190b7a4-0000-7000-8000-000000000004", "slug": "blocked", "name": "S", "status": "suspended"},
    {"id": "0190b7a4-0000-7000-8000-000000000005", "slug": "gone", "name": "A", "status": "archived"},
    {
        "id": "0190b7a4-0000-7000-8000-000000000006",
        "slug": "moved",
        "name": "Moved",
        "hosts": ["www.moved.example", "moved.example"],
        "primaryHost": "www.moved.example",
        "redirectsToPrimary": True,
    },
]
DIRECTORY = {"generation": 7, "baseDomains": ["localhost"], "flags": {"beta": False, "gamma": True}, "tenants": TENANTS}


class Tools:
    """What the tests use of a build folder. For an nginx of one's own TENANTRY_NGINX names it,
    TENANTRY_EDGE_MODULE the module, "static" when it is built in, and TENANTRY_EDGE_PRELOAD what a
    sanitizer needs preloaded."""

    def __init__(self, build):
        build = pathlib.Path(build).resolve()
        module = os.environ.get("TENANTRY_EDGE_MODULE", build / "ngx_http_tenantry_module.so")
        parts = [build / "tests/e2e/tools/mkdirectory"]
        folders = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin"
        self.nginx = os.environ.get("TENANTRY_NGINX") or shutil.which("nginx", path=folders)
        self.load_module = ""
        if module != "static":
            parts.append(pathlib.Path(module))
            self.load_module = f"load_module {module};"
        for part in parts:
            if not part.exists():
                pytest.exit(f"there is no {part}: build it first", returncode=2)
        self._mkdirectory = parts[0]

    def write_directory(self, path, description, *options):
        self._run([self._mkdirectory, *options, path], json.dumps(description).encode())

    def make_key(self, path):
        self._run([self._mkdirectory, "--key", path])

    @staticmethod
    def _run(command, data=b""):
        done = subprocess.run(command, input=data, capture_output=True, timeout=30)
        assert done.returncode == 0, f"{command}: {done.stderr.decode()}"


class Nginx:
    """Not running until start(). `allowed` has expressions for lines of the error log that a test
    provokes."""

    def __init__(self, tools):
        self.tools = tools
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tenantry-edge-"))
        self.directory = self.folder / "edge.tnd"
        self.key = self.folder / "keys.json"
        self.upstream = Upstream(self.folder / "app.sock")
        self.allowed = []
        self.process = None
        self._ports = [Port()]
        self._generation = 0

    # ---- what it reads ----

    def write(self, description=None, **changes):
        """Puts a directory in place, or a new one in the place of the one there."""
        description = dict(DIRECTORY if description is None else description, **changes)
        if self.key.exists():
            description.setdefault("keyFile", str(self.key))
        self._generation = description["generation"]
        self.tools.write_directory(self.directory, description)

    def change(self, **change):
        """One change to the directory that is there, as the daemon makes it."""
        self._generation += 1
        self.tools.write_directory(self.directory, {"generation": self._generation, **change}, "--change")

    def make_key(self):
        self.tools.make_key(self.key)

    def configure(self, http=None, server="tenantry on;", location="", workers=1, log_format=None, directory=None):
        """Writes nginx.conf. Without `http` there is one server, whose `/` is the application's."""
        if http is None:
            http = SERVER
        if directory is None:
            directory = f"tenantry_directory {self.directory};"
            if self.key.exists():
                directory += f" tenantry_token_key {self.key};"
        marks = {"folder": self.folder, "port": self.port, "server": server, "location": location}
        text = CONFIG.format(
            user="user root;" if os.getuid() == 0 else "",
            workers=workers,
            folder=self.folder,
            module=self.tools.load_module,
            directory=directory,
            log_format=log_format or '{"host":"$http_host","status":"$status","tenant":"$tenant_slug"}',
            http=http.format(**marks) if http is SERVER else http.replace("@port@", str(self.port)).replace(
                "@folder@", str(self.folder)
            ),
        )
        self.config.write_text(text)

    @property
    def config(self):
        return self.folder / "nginx.conf"

    @property
    def port(self):
        return self._ports[0].number

    def new_port(self):
        self._ports.append(Port())
        return self._ports[-1].number

    # ---- life ----

    def _command(self, *more):
        return [self.tools.nginx, "-p", str(self.folder), "-c", str(self.config), "-e", str(self.folder / "error.log"), *more]

    def _environment(self):
        environment = dict(os.environ)
        if preload := environment.get("TENANTRY_EDGE_PRELOAD"):
            environment["LD_PRELOAD"] = preload
        return environment

    def test_config(self):
        """nginx -t: whether it takes the configuration, and what it says about it."""
        done = subprocess.run(
            self._command("-t"), capture_output=True, env=self._environment(), timeout=30, text=True
        )
        (self.folder / "error.log").unlink(missing_ok=True)
        return done.returncode == 0, done.stderr

    def start(self):
        with open(self.folder / "output.log", "ab") as output:
            self.process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self._environment()
            )
        wait_until(self._is_ready, "nginx to answer", STOP_TIMEOUT_S)
        return self

    def _is_ready(self):
        assert self.process.poll() is None, f"nginx ended with {self.process.returncode}:\n{self.logs()}"
        with contextlib.suppress(OSError):
            with contextlib.closing(web.UnixConnection(str(self.folder / "ready.sock"), 5)) as connection:
                return web.send(connection, "GET", "/", [("Host", "ready")]).status > 0
        return False

    def reload(self):
        """A new cycle with new workers; comes back when the old ones have gone."""
        old = self.workers()
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.workers() and not set(old) & set(self.workers()), "new workers", STOP_TIMEOUT_S)
        wait_until(self._is_ready, "nginx to answer", STOP_TIMEOUT_S)

    def workers(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def stop(self):
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(signal.SIGQUIT)
        try:
            code = process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"nginx did not stop:\n{self.logs()}") from None
        assert code == 0, f"nginx ended with {code}:\n{self.logs()}"

    def close(self):
        try:
            self.stop()
            faults = self.faults()
            assert not faults, "in nginx's logs:\n" + "\n".join(faults)
        finally:
            self.upstream.close()
            for port in self._ports:
                port.release()
            shutil.rmtree(self.folder)

    # ---- what it says ----

    def error_log(self):
        path = self.folder / "error.log"
        return path.read_text(errors="replace").splitlines() if path.exists() else []

    def access_log(self):
        """Each line of the access log, which is JSON."""
        path = self.folder / "access.log"
        return [json.loads(line) for line in path.read_text().splitlines()]

    def logs(self):
        found = []
        for name in ("output.log", "error.log"):
            path = self.folder / name
            found += path.read_text(errors="replace").splitlines()[-100:] if path.exists() else []
        return "\n".join(found)

    def faults(self):
        lines = self.error_log()
        output = self.folder / "output.log"
        lines += output.read_text(errors="replace").splitlines() if output.exists() else []
        return [
            line for line in lines if FAULTS.search(line) and not any(re.search(e, line) for e in self.allowed)
        ]

    # ---- requests ----

    def get(self, host, path="/", headers=(), method="GET", body=None, port=None):
        return web.request(port or self.port, host, path, method, headers, body)

    def seen(self, host, path="/", headers=(), **more):
        """What the application saw of a request that must reach it."""
        answer = self.get(host, path, headers, **more)
        assert answer.status == 200, answer
        return answer.json()

    def raw(self, data, port=None):
        return web.parse(web.raw(port or self.port, data))


@pytest.fixture(scope="session")
def tools(request):
    build = request.config.getoption("--build") or os.environ.get("TENANTRY_BUILD") or ROOT / "build"
    return Tools(build)


@pytest.fixture
def nginx(tools):
    """An nginx that is not configured yet; closed after the test."""
    edge = Nginx(tools)
    try:
        yield edge
    except BaseException:
        print(edge.logs())
        raise
    finally:
        edge.close()


@pytest.fixture(scope="module")
def edge(tools):
    """The usual directory and one server with `tenantry on`, shared by a module's tests."""
    edge = Nginx(tools)
    try:
        edge.make_key()
        edge.write()
        edge.configure()
        edge.start()
        yield edge
    finally:
        edge.close()
