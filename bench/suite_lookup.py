"""Look-ups in the directory beside the least that the machine allows. bench_lookup measures and says
how; this runs it and prints its figures as one table."""

import json
import os
import subprocess

import report
from servers import Failure

LIMIT_S = 1800


def run(options):
    done = subprocess.run([os.path.join(options.build, "bench", "bench_lookup"), "--json"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=LIMIT_S, check=False)
    if done.returncode != 0:
        raise Failure(done.stderr.strip())
    sizes = json.loads(done.stdout)
    rows = []
    for size in sizes:
        kinds = [kind for kind, value in size.items()
                 if isinstance(value, dict) and "lookup_ns" in value]
        for kind in kinds:
            one = size[kind]
            rows.append(["{:,} tenants, {}".format(size["tenants"], kind),
                         "%.0f" % one["lookup_ns"], "%.0f" % one["floor_ns"],
                         "%.2f" % one["ratio"], "%.2f" % one["ratio_p10"],
                         "%.2f" % one["ratio_p90"]])
    report.table(["nanoseconds a look-up", "directory", "floor", "x floor", "10%", "90%"], rows)
    print()
    report.table(
        ["the file", "publish us", "p99", "open us", "p99", "build s", "bytes a tenant"],
        [["{:,} tenants".format(size["tenants"]),
          "%.1f" % size["publish_us"]["median"], "%.1f" % size["publish_us"]["p99"],
          "%.0f" % size["open_us"]["median"], "%.0f" % size["open_us"]["p99"],
          "%.2f" % size["build_s"], "%.0f" % size["bytes_beyond_text"]] for size in sizes])
    return {"sizes": sizes}
