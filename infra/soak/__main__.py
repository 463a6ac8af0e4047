"""Runs a fault run and prints its table: ``python -m infra.soak [--objects 1000] [--seed 1]``."""

import argparse
import shutil
import sys

from rich.console import Console
from rich.table import Table

from infra.localstack.install import ROOT
from infra.soak.run import Findings, run

FOLDER = ROOT / "soak-results"


def table_of(findings: Findings) -> Table:
    counts = findings.counts
    table = Table(show_header=False)
    for name, value in {
        "objects": findings.objects,
        "versions uploaded": findings.versions,
        "events delivered": counts["events"],
        "  through SNS": counts["by SNS"],
        "objects with an error record": counts["error records"],
        "requests to S3": counts["requests"],
        "  answered 503": counts["503"],
        "  timed out": counts["time-out"],
        "  reset": counts["reset"],
        "  truncated": counts["truncated"],
        "processes killed": counts["kills"],
        "cold starts": counts["ColdStarts"],
        "files scored": counts["FilesScored"],
        "files that can't be scored": counts["FilesRefused"],
        "duplicates": counts["FilesDuplicate"],
        "superseded": counts["FilesSuperseded"],
        "folders ignored": counts["FilesIgnored"],
        "files retried": counts["FilesFailed"] + counts["FilesPostponed"],
        "messages redriven": counts["redriven"],
        "dead letters": len(findings.dead_letters),
        "seconds": round(findings.seconds),
        "objects a second": round(findings.objects / findings.seconds, 1),
        "wrong, missing or outdated results": len(findings.wrong),
    }.items():
        table.add_row(name, f"{value:,}")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.soak", description="A fault run in LocalStack.")
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    findings = run(options.objects, options.seed, FOLDER)
    Console().print(table_of(findings))
    for line in findings.wrong:
        print(line, file=sys.stderr)
    if not findings.dead_letters_are_expected:
        print(f"In the dead-letter queue: {findings.dead_letters}", file=sys.stderr)
    sys.exit(bool(findings.wrong) or not findings.dead_letters_are_expected)


if __name__ == "__main__":
    main()
