"""Reads tests/vectors/hosts.txt; the file says what is in it."""

import pathlib
import re

FILE = pathlib.Path(__file__).resolve().parents[2] / "vectors" / "hosts.txt"
ESCAPES = {"t": b"\t", "r": b"\r", "n": b"\n", "\\": b"\\"}


def _unescape(text):
    def byte(match):
        code = match[1].decode()
        return bytes([int(code[1:], 16)]) if code[0] == "x" else ESCAPES[code]

    return re.sub(rb"\\(x[0-9a-fA-F]{2}|[trn\\])", byte, text)


def hosts():
    """(the Host header's bytes, the normalised name or None for no host name, "name" or "ip")."""
    found = []
    for line in FILE.read_bytes().splitlines():
        if not line or line.startswith(b"#"):
            continue
        text, result, *more = line.split(b"\t")
        assert result in (b"TN_OK", b"TN_EHOST"), line
        name = more[0].decode() if result == b"TN_OK" else None
        found.append((_unescape(text), name, more[2].decode() if name else None))
    assert len(found) > 200
    return found
