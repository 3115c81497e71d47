"""nginx as a thing to measure: started from a configuration in a private folder, one worker pinned to
one core, its CPU time read from the kernel, and stopped again with a look at its log."""

import http.client
import os
import signal
import socket
import subprocess
import time

NGINX = "/usr/sbin/nginx"
START_S = 20
STOP_S = 20

# everything that nginx would otherwise put under its own prefix goes into the folder
FRAME = """
daemon off;
worker_processes 1;
worker_cpu_affinity {mask};
worker_rlimit_nofile 4096;
error_log {folder}/error.log warn;
pid {folder}/nginx.pid;
{user}
{main}
events {{
    worker_connections 2048;
}}
http {{
    access_log off;
    server_tokens off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{http}
}}
"""


class Failure(Exception):
    """What was to be measured did not work; the message is for a person."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    """One nginx with one worker. `main` and `http` are directives of those two levels."""

    def __init__(self, name, folder, core, main, http):
        self.name = name
        self.core = core
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        self.config = os.path.join(self.folder, "nginx.conf")
        with open(self.config, "w", encoding="ascii") as out:
            out.write(FRAME.format(
                mask="1".ljust(core + 1, "0"),
                folder=self.folder,
                # as root nginx would change to a user who may not enter the private folder
                user="user root;" if os.geteuid() == 0 else "",
                main=main,
                http=http,
            ))
        self.process = None
        self.worker = None

    def command(self, *extra):
        return [NGINX, "-p", self.folder, "-c", self.config,
                "-e", os.path.join(self.folder, "error.log"), *extra]

    def start(self, is_ready):
        """Starts it and waits until it has a worker and is_ready() does not raise OSError."""
        with open(os.path.join(self.folder, "output"), "wb") as output:
            self.process = subprocess.Popen(self.command(), stdout=output, stderr=output)
        deadline = time.monotonic() + START_S
        while True:
            if self.process.poll() is not None:
                raise Failure("nginx '%s' did not start:\n%s" % (self.name, self.log()))
            try:
                self.worker = self.find_worker()
                is_ready()
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise Failure("nginx '%s' does not answer (%s):\n%s"
                                  % (self.name, error, self.log())) from error
                time.sleep(0.01)

    def find_worker(self):
        pid = self.process.pid
        with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as children:
            workers = children.read().split()
        if len(workers) != 1:
            raise OSError("%d workers" % len(workers))
        return int(workers[0])

    def memory_kb(self):
        """The worker's own memory: what it does not share with a file."""
        with open("/proc/%d/status" % self.worker, encoding="ascii") as lines:
            fields = dict(line.split(":", 1) for line in lines)
        return int(fields["RssAnon"].split()[0])

    def log(self):
        text = ""
        for name in ("error.log", "output"):
            path = os.path.join(self.folder, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    text += file.read()
        return text

    def stop(self):
        """Ends it; an unclean exit or an alert in its log is a failure."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process = None
        log = self.log()
        if code != 0 or any(level in log for level in ("[alert]", "[crit]", "[emerg]", "[error]")):
            raise Failure("nginx '%s' ended with %d:\n%s" % (self.name, code, log))


def ask(port, host, path="/"):
    """The body of one request's answer; OSError when there is none, Failure when it is not 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        body = answer.read().decode("utf-8", "replace")
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()
    if answer.status != 200:
        raise Failure("status %d to %s%s: %s" % (answer.status, host, path, body[:200]))
    return body
