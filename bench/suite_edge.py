"""CPU microseconds that a proxied request costs nginx's worker: user and system time of that one
process, with the load generator and the application on another core.

bench_load gives each variant short slices, and the floor one before each of them: what counts is the
ratio of a slice to the slices of the floor beside it, so that a disturbed machine is disturbed for
both. README.md says more.
"""

import json
import statistics
import subprocess

import report
from servers import Failure
from stand import CONNECTIONS, FLOOR, HOSTS, Stand

HALF_MINUTE_S = 30
LOAD_S = 1800


def load(stand, rounds, requests):
    """bench_load's slices, in the order in which they were measured."""
    done = subprocess.run(
        stand.load_command(stand.variants, "--rounds", str(rounds), "--requests", str(requests)),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=LOAD_S, check=False)
    if done.returncode != 0:
        raise Failure(done.stderr.strip())
    return [json.loads(line) for line in done.stdout.splitlines()]


def beside_floor(slices):
    """Gives each slice the ratio to the mean of the floor's before and after it."""
    measured = [one for one in slices if one["kind"] == "slice"]
    floors = [place for place, one in enumerate(measured) if one["server"] == 0]
    for place, one in enumerate(measured):
        near = [measured[floor]["cpu_us"] for floor in floors if abs(floor - place) == 1]
        one["ratio"] = 1.0 if one["server"] == 0 else one["cpu_us"] / statistics.mean(near)
    return measured


def summary(slices):
    keys = ("cpu_us", "ratio", "requests_per_second", "p50_us", "p99_us")
    return {key: report.spread([one[key] for one in slices]) for key in keys}


def signing(slices, server, row):
    """What a request costs when every host is busy, each token is signed once per half minute, and
    requests come at the measured rate. The passes that ask for every host before each slice have
    done all the signing there was: what they took above the slices is spread over the hosts and half
    minutes of the run."""
    own = [one for one in slices if one["server"] == server]
    passes = [one for one in own if one["kind"] == "signing"]
    cpu_us = row["cpu_us"]["median"]
    extra_us = sum(one["cpu_us"] - cpu_us for one in passes)
    periods = (own[-1]["at_s"] - own[0]["at_s"]) / HALF_MINUTE_S
    sign_us = max(0.0, extra_us / periods)
    requests = HALF_MINUTE_S * row["requests_per_second"]["median"]
    share = 1 + sign_us * HOSTS / requests / cpu_us
    return {"sign_us": sign_us, "ratio_with_signing": row["ratio"]["median"] * share}


def show(rows):
    cells = []
    for row in rows:
        cpu, ratio = row["cpu_us"], row["ratio"]
        cells.append([
            row["name"],
            "%.2f" % cpu["median"], "%.2f" % cpu["low"], "%.2f" % cpu["high"],
            "%.3f" % ratio["median"], "%.3f" % ratio["low"], "%.3f" % ratio["high"],
            "%.3f" % row["ratio_with_signing"] if "ratio_with_signing" in row else "",
            "%d" % row["requests_per_second"]["median"],
            "%.0f" % row["p50_us"]["median"], "%.0f" % row["p99_us"]["median"],
            "%.0f" % row["upstream_request_bytes"],
        ])
    report.table(["CPU us a request", "median", "10%", "90%", "x floor", "10%", "90%", "signing",
                  "req/s", "p50 us", "p99 us", "bytes"], cells)


def run(options):
    with Stand(options.build) as stand:
        stand.start()
        slices = load(stand, options.rounds, options.requests)
        measured = beside_floor(slices)
        rows = []
        for server, variant in enumerate(stand.variants):
            row = {"name": variant.name, "tenants": variant.tenants,
                   "upstream_request_bytes": variant.upstream_request_bytes(),
                   "worker_memory_kb": variant.nginx.memory_kb()}
            row.update(summary([one for one in measured if one["server"] == server]))
            if variant.has_token:
                row.update(signing(slices, server, row))
            rows.append(row)
        show(rows)
        return {"rounds": options.rounds, "requests": options.requests, "hosts": HOSTS,
                "connections": CONNECTIONS, "floor": FLOOR, "variants": rows}
