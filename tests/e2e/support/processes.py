"""Processes, as /proc tells of them: who is left, who is whose child."""

import os
import pathlib
import time


def session(leader):
    """Every living process of the session that `leader` began: {pid: command line}."""
    return {
        pid: command
        for pid, fields, command in _all()
        if fields[3] == str(leader) and fields[0] != "Z"
    }


def children(parent, named=""):
    """Living children whose command line has `named` in it."""
    return sorted(
        pid
        for pid, fields, command in _all()
        if fields[1] == str(parent) and fields[0] != "Z" and named in command
    )


def is_alive(pid):
    try:
        return _fields(pid)[0] != "Z"
    except OSError:
        return False


def wait_until(condition, what, timeout=10.0, interval=0.02):
    """Waits for a condition to hold and gives its value; fails with `what` when it never does."""
    until = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < until, f"waited {timeout} s for {what}"
        time.sleep(interval)


def _fields(pid):
    """Of /proc/PID/stat, from the state on: state, parent, group, session, …"""
    text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    return text.rpartition(")")[2].split()


def _all():
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                command = pathlib.Path(f"/proc/{name}/cmdline").read_bytes().replace(b"\0", b" ")
                yield int(name), _fields(name), command.decode(errors="replace")
            except OSError:
                pass  # it ended meanwhile
