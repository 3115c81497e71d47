"""Instructions that nginx's worker executes for a request outside of the kernel, counted by
valgrind's callgrind: the same on a busy machine as on a quiet one, so that a change of one per cent
shows. It does not see the kernel's share, nor how long an instruction waits for memory.

Each variant runs twice, with different numbers of requests; the difference of the counts, divided by
that of the requests, is free of nginx's start and of the signing of tokens. On one connection, so that
chance has no say in how many requests nginx finds waiting at once. Nothing of it depends on the number
of tenants.
"""

import os
import signal
import subprocess
import time

import report
from servers import Failure
from stand import FLOOR, Stand

TENANTS = 10000
HOSTS = 1000
FEW, MANY = 1000, 5000
HALF_MINUTE_S = 30
START_S = 120
LOAD_S = 300


def start(variant, out):
    """nginx as one process under callgrind, ready to answer."""
    command = ["valgrind", "--quiet", "--tool=callgrind", "--callgrind-out-file=" + out,
               *variant.nginx.command("-g", "master_process off;")]
    with open(os.path.join(variant.nginx.folder, "output"), "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    deadline = time.monotonic() + START_S
    while True:
        try:
            variant.is_ready()
            return process
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise Failure("%s under callgrind: %s\n%s"
                              % (variant.name, error, variant.nginx.log())) from error
            time.sleep(0.05)


def wait_for_half_minute():
    """So that tokens are signed in the warming pass of a run and not again: that cancels out."""
    time.sleep(HALF_MINUTE_S - time.time() % HALF_MINUTE_S)


def count(stand, variant, requests):
    """All instructions of a run."""
    out = os.path.join(variant.nginx.folder, "callgrind-%d" % requests)
    process = start(variant, out)
    try:
        if variant.has_token:
            wait_for_half_minute()
        done = subprocess.run(
            stand.load_command([variant], "--requests", str(requests), "--rounds", "1",
                               connections=1),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=LOAD_S,
            check=False)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(START_S)
    if done.returncode != 0:
        raise Failure("%s: %s" % (variant.name, done.stderr.strip()))
    with open(out, encoding="ascii", errors="replace") as lines:
        for line in lines:
            if line.startswith("totals:"):
                return int(line.split()[1])
    raise Failure("callgrind wrote no total")


def run(options):
    with Stand(options.build, sizes=(TENANTS,), hosts=HOSTS) as stand:
        stand.start_application()
        rows = []
        for variant in stand.variants:
            counted = count(stand, variant, MANY) - count(stand, variant, FEW)
            rows.append({"name": variant.name, "instructions": counted / (MANY - FEW)})
        floor = next(row["instructions"] for row in rows if row["name"] == FLOOR)
        report.table(["instructions a request", "count", "above floor"],
                     [[row["name"], "%.0f" % row["instructions"],
                       "%+.0f" % (row["instructions"] - floor)] for row in rows])
        return {"requests": MANY - FEW, "hosts": HOSTS, "floor": FLOOR, "variants": rows}
