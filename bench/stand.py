"""The edge suite's test stand: the directories, the application (another nginx, on a unix socket, so
that only the edge's worker is measured), and the variants of the edge that are compared.

Every variant passes the same request on to the same application. The application answers with the
X-Tenant-Slug it was given, and bench_load holds each answer against the host's tenant: a variant
that names the wrong tenant, or none, ends the benchmark instead of looking fast.
"""

import os
import subprocess
import tempfile

from servers import Failure, Nginx, ask, free_port

HOSTS = 10000
CONNECTIONS = 32
SIZES = (10, 10000, 1000000)

# what a browser's call to an API carries besides Host; the firewall looks at each of them
CLIENT_HEADERS = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "application/json",
    "Accept-Language": "fr,en;q=0.5",
    "Accept-Encoding": "gzip, deflate, br",
    "Cookie": "session=0123456789abcdef0123456789abcdef",
}

# the floor's headers: as many bytes as the module's are on the average
FIXED_SLUG = "tenant-0123456"
FIXED_HEADERS = {
    "X-Tenant-Id": "01973a10-0000-7abc-8def-0123456789ab",
    "X-Tenant-Slug": FIXED_SLUG,
    "X-Tenant-Domain": "tenant-0123456.example.com.a",
    "X-Tenant-Plan": "busines",
    "X-Tenant-Resolved-By": "subdomai",
    "X-Forwarded-Host": "tenant-0123456.example.com.a",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-For": "127.0.0.1",
}

# the three that follow the request, the way nginx does it by itself
FORWARDED = {
    "X-Forwarded-Host": "$http_host",
    "X-Forwarded-Proto": "$scheme",
    "X-Forwarded-For": "$remote_addr",
}

FLOOR = "static headers"

APPLICATION = """
    server {{
        listen unix:{socket};
        location = /request-length {{
            return 200 $request_length;
        }}
        location / {{
            return 200 $http_x_tenant_slug;
        }}
    }}
"""

EDGE = """
    upstream application {{
        server unix:{socket};
        keepalive 128;
        keepalive_requests 1000000000;
        keepalive_timeout 600s;
    }}
{module}
    server {{
        listen 127.0.0.1:{port};
{server}
        location / {{
            proxy_pass http://application;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
{location}
        }}
    }}
"""


class Variant:
    """One edge to be measured, and the hosts to ask it for."""

    def __init__(self, name, nginx, port, hosts, tenants, has_token):
        self.name = name
        self.nginx = nginx
        self.port = port
        self.hosts = hosts
        self.tenants = tenants
        self.has_token = has_token

    def sample_hosts(self, count):
        with open(self.hosts, encoding="ascii") as lines:
            hosts = [line.split()[0] for line in lines]
        return hosts[:: max(1, len(hosts) // count)]

    def is_ready(self):
        ask(self.port, self.sample_hosts(1)[0])

    def upstream_request_bytes(self):
        """The mean size of the request's head as the application received it."""
        sizes = [int(ask(self.port, host, "/request-length")) for host in self.sample_hosts(200)]
        return sum(sizes) / len(sizes)


class Stand:
    """Use as a context; what was started is stopped, and its folder removed, at its end."""

    def __init__(self, build, sizes=SIZES, hosts=HOSTS):
        self.build = build
        self.sizes = sizes
        self.hosts = hosts
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise Failure("two cores are needed: one for the edge, one for load and application")
        self.edge_core, self.load_core = cores[0], cores[1]
        self.temporary = tempfile.TemporaryDirectory(prefix="tenantry-bench-")
        self.folder = self.temporary.name
        self.socket = os.path.join(self.folder, "application.sock")
        self.key = os.path.join(self.folder, "token.jwks")
        self.application = None
        self.variants = []

    def __enter__(self):
        try:
            self.prepare()
        except BaseException:
            self.temporary.cleanup()
            raise
        return self

    def __exit__(self, kind, *_):
        failures = []
        for nginx in [variant.nginx for variant in self.variants] + [self.application]:
            try:
                nginx.stop()
            except Failure as failure:
                failures.append(failure)
        self.temporary.cleanup()
        if kind is None and failures:
            raise failures[0]

    def prepare(self):
        for size in self.sizes:
            self.make_directory(size)
        self.application = Nginx("application", self.folder, self.load_core, "",
                                 APPLICATION.format(socket=self.socket))
        fixed_hosts = self.fixed_hosts(max(self.sizes))
        self.variants = [
            self.variant(FLOOR, fixed_hosts, fixed=FIXED_HEADERS),
            self.variant("no headers", fixed_hosts, fixed={"X-Tenant-Slug": FIXED_SLUG}),
            self.variant("headers with variables", fixed_hosts,
                         fixed=dict(FIXED_HEADERS, **FORWARDED)),
        ]
        for has_token in (False, True):
            for size in self.sizes:
                name = "tenantry%s, %s tenants" % (" with token" if has_token else "",
                                                   "{:,}".format(size))
                self.variants.append(self.variant(name, self.hosts_file(size), tenants=size,
                                                  has_token=has_token))

    def directory(self, size):
        return os.path.join(self.folder, "directory-%d" % size)

    def hosts_file(self, size):
        return os.path.join(self.folder, "hosts-%d" % size)

    def make_directory(self, size):
        subprocess.run([os.path.join(self.build, "bench", "bench_directory"), self.directory(size),
                        str(size), self.key, self.hosts_file(size), str(self.hosts)], check=True)

    def fixed_hosts(self, size):
        """The same hosts, all expected to be the floor's one tenant."""
        path = os.path.join(self.folder, "hosts-fixed")
        with open(self.hosts_file(size), encoding="ascii") as lines, \
                open(path, "w", encoding="ascii") as out:
            for line in lines:
                out.write("%s %s\n" % (line.split()[0], FIXED_SLUG))
        return path

    def variant(self, name, hosts, fixed=None, tenants=0, has_token=False):
        """With `fixed`, nginx alone sets those headers; without, the module sets its own."""
        port = free_port()
        module, server, load = "", "", ""
        if fixed is None:
            fixed = {}
            load = "load_module %s;" % os.path.join(self.build, "edge",
                                                    "ngx_http_tenantry_module.so")
            module = "    tenantry_directory %s;\n" % self.directory(tenants)
            server = "        tenantry on;\n"
        if has_token:
            module += "    tenantry_token_key %s;\n" % self.key
        location = "".join("            proxy_set_header %s \"%s\";\n" % pair
                           for pair in fixed.items())
        nginx = Nginx("edge-%d" % len(os.listdir(self.folder)), self.folder, self.edge_core, load,
                      EDGE.format(socket=self.socket, port=port, module=module, server=server,
                                  location=location))
        return Variant(name, nginx, port, hosts, tenants, has_token)

    def start_application(self):
        os.sched_setaffinity(0, {self.load_core})  # this program and all it starts but the edges
        self.application.start(self.application_is_ready)

    def start(self):
        self.start_application()
        for variant in self.variants:
            variant.nginx.start(variant.is_ready)

    def application_is_ready(self):
        if not os.path.exists(self.socket):
            raise OSError("no socket yet")

    def load_command(self, variants, *options, connections=CONNECTIONS):
        """bench_load over these variants, the first of them the floor."""
        headers = "".join("%s: %s\r\n" % pair for pair in CLIENT_HEADERS.items())
        servers = ["%d:%d:%s%s" % (variant.port, variant.nginx.worker or 0, variant.hosts,
                                   ":signing" if variant.has_token else "")
                   for variant in variants]
        return [os.path.join(self.build, "bench", "bench_load"), "--headers", headers,
                "--connections", str(connections), *options, *servers]
