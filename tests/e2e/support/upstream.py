"""An application behind the edge that answers with what reached it, byte for byte: method, path and
every header line as JSON. It reads the request itself, so that nothing is mended on the way."""

import contextlib
import json
import os
import socketserver
import threading


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while self._one():
            pass

    def _one(self):
        start = self.rfile.readline(65536)
        if not start:
            return False
        method, path, version = start.decode("latin-1").rstrip("\r\n").split(" ", 2)
        headers = []
        while (line := self.rfile.readline(65536).decode("latin-1").rstrip("\r\n")) != "":
            name, _, value = line.partition(":")
            headers.append((name, value.strip(" \t")))
        length = int(dict((n.lower(), v) for n, v in headers).get("content-length", 0))
        body = self.rfile.read(length)
        seen = {"method": method, "path": path, "headers": headers, "body": body.decode("latin-1")}
        self.server.seen.append(seen)
        status, extra = self.server.answer
        answer = json.dumps(seen).encode()
        keeps = version == "HTTP/1.1" and ("connection", "close") not in [
            (n.lower(), v.lower()) for n, v in headers
        ]
        head = [f"HTTP/1.1 {status} Answer", "Content-Type: application/json", f"Content-Length: {len(answer)}"]
        head += [f"{name}: {value}" for name, value in extra]
        head += [] if keeps else ["Connection: close"]
        self.wfile.write("\r\n".join(head).encode() + b"\r\n\r\n" + (b"" if method == "HEAD" else answer))
        self.wfile.flush()
        return keeps


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(__import__("sys").exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Upstream:
    """Listens on a unix socket. `seen` has every request; `answer` is (status, headers)."""

    def __init__(self, path):
        self.path = path
        self._server = _Server(str(path), _Handler)
        self._server.seen = []
        self._server.answer = (200, [])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def seen(self):
        return self._server.seen

    def set_answer(self, status=200, headers=()):
        self._server.answer = (status, list(headers))

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)


def names(seen):
    """The names of a request's headers in lower case, in the order they came."""
    return [name.lower() for name, _ in seen["headers"]]


def value(seen, name):
    """A header's value; it must be there once at most. None when it is not."""
    values = [value for key, value in seen["headers"] if key.lower() == name.lower()]
    assert len(values) < 2, f"{name} is there {len(values)} times: {values}"
    return values[0] if values else None
