"""What the suites share in telling their results: the machine, medians, tables, JSON."""

import datetime
import json
import os
import statistics


def machine():
    """Date, CPU and cores; nothing else of the machine is written down."""
    cpu = "unknown CPU"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
        for line in lines:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    return {"date": datetime.date.today().isoformat(), "cpu": cpu, "cores": os.cpu_count()}


def spread(values):
    """The median, and what a tenth of the values lies below and above."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return {"median": statistics.median(ordered), "low": ordered[round(last * 0.1)],
            "high": ordered[round(last * 0.9)], "min": ordered[0], "max": ordered[last]}


def table(headings, rows):
    """Prints rows of strings in columns, the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [headings] + rows) for i in range(len(headings))]
    for row in [headings] + rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join(cells).rstrip())


def write(folder, suite, about, result):
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, suite + ".json")
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"suite": suite, "machine": about, "result": result}, out, indent=2)
        out.write("\n")
    return path
