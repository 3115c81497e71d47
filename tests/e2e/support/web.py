"""HTTP as the tests speak it: to 127.0.0.1, with the Host that is wanted, so that no name is ever
resolved; and byte for byte over a socket where a client library would mend what must stay broken."""

import contextlib
import http.client
import json
import socket
import time


class Response:
    """An answer: status, headers (case ignored, repeated ones kept), body."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def header(self, name):
        """The value of a header that may be there once at most; None when it is not."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) < 2, f"{name} is there {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def type(self):
        """The media type without its parameters."""
        return (self.header("Content-Type") or "").split(";")[0].strip().lower()

    @property
    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        return json.loads(self.body, object_pairs_hook=_no_duplicates)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:400]!r}>"


def _no_duplicates(pairs):
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"a JSON object has a key twice: {keys}"
    return dict(pairs)


class UnixConnection(http.client.HTTPConnection):
    """The same over a unix socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def send(connection, method, path, headers, body=None):
    """One request with exactly these headers (a list of pairs), nothing added but the length."""
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    return Response(answer.status, answer.getheaders(), answer.read())


def request(port, host, path="/", method="GET", headers=(), body=None, timeout=10):
    """One request on a connection of its own. headers: a dict or a list of pairs."""
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    with contextlib.closing(connection):
        return send(connection, method, path, [("Host", host)] + pairs, body)


def raw(port, data, timeout=5):
    """Sends bytes and gives back everything that comes until the other side closes. Use with
    `Connection: close`, or what is broken enough for the server to hang up."""
    answer = bytearray()
    until = time.monotonic() + timeout
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.sendall(data)
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                answer += part
                assert time.monotonic() < until, f"no end of the answer: {bytes(answer[-200:])!r}"
    return bytes(answer)


def parse(answer):
    """Reads the first of raw HTTP/1.1 answers. None when there is none: the connection was closed."""
    if not answer:
        return None
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    version, status, *_ = lines[0].split(" ", 2)
    assert version.startswith("HTTP/1."), f"not an HTTP answer: {answer[:200]!r}"
    first = Response(int(status), [tuple(line.split(": ", 1)) for line in lines[1:]], body)
    if first.header("Content-Length") is not None:
        first.body = body[: int(first.header("Content-Length"))]
    return first
