"""Ports that nobody else takes: free when asked, and locked against other runs of these tests."""

import contextlib
import errno
import fcntl
import os
import socket
import tempfile

FIRST, LAST = 20000, 31999  # below the kernel's own range for outgoing connections


class Port:
    """A locked port; release it after what listens there has stopped."""

    def __init__(self):
        folder = os.path.join(tempfile.gettempdir(), f"tenantry-ports-{os.getuid()}")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        start = os.getpid() % (LAST - FIRST)
        for step in range(LAST - FIRST):
            number = FIRST + (start + step) % (LAST - FIRST)
            lock = open(os.path.join(folder, str(number)), "w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                continue
            if _is_free(number):
                self.number, self._lock = number, lock
                return
            lock.close()
        raise RuntimeError("no free port")

    def release(self):
        self._lock.close()


def _is_free(number):
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with contextlib.closing(socket.socket(family)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, number))
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL:  # this machine has no IPv6
                    continue
                return False
    return True
