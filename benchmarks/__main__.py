"""Runs the benchmarks and writes their results: ``python -m benchmarks [NAME ...] [--out FOLDER]``.

Writes results.json and RESULTS.md into the folder, by default this package's own. A run of some parts keeps
the earlier results of the others.
"""

import argparse
import importlib
import json
import time
from pathlib import Path

from benchmarks import machine

HERE = Path(__file__).resolve().parent
PARTS = {
    "cold": "Cold start",
    "warm": "Warm latency",
    "sandbox": "A confined worker for each recording",
    "floor": "Where the time goes, against the floor",
    "length": "Memory and speed by length",
    "throughput": "Processes and threads",
    "folder": "A folder of a thousand recordings",
    "rates": "Processor time by format and size",
    "sizes": "Memory sizes of the function",
    "reference": "Compared with PESQ, which needs the clean recording",
    "cost": "Cost",
    "scaling": "A burst of a million",
}
HEAD = """# Benchmarks

Written by `make bench`; don't edit. Medians of all rounds, with minimum and maximum. Alternatives were
measured in turn, in one run: the ratios carry over to other machines better than the times.
"""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measures speed, memory and cost."
    )
    parser.add_argument(
        "parts", nargs="*", metavar="NAME", help=f"some of: {', '.join(PARTS)}; all by default"
    )
    parser.add_argument("--out", type=Path, default=HERE, metavar="FOLDER", help="folder for the results")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.parts) - set(PARTS)):
        parser.error(f"unknown: {', '.join(unknown)}. Expected some of: {', '.join(PARTS)}.")
    path = options.out / "results.json"
    results = json.loads(path.read_text()) if path.exists() and options.parts else {}
    results["machine"] = machine.describe()
    for part in options.parts or PARTS:
        module = importlib.import_module(f"benchmarks.{part}")
        started = time.perf_counter()
        results[part] = module.run(results)
        print(
            f"## {PARTS[part]} ({time.perf_counter() - started:.0f} s)\n\n{module.show(results[part])}\n",
            flush=True,
        )
        write(results, options.out)


def write(results: dict, folder: Path) -> None:
    """Writes results.json and RESULTS.md: after every part, so that an aborted run keeps its results."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    (folder / "RESULTS.md").write_text(render(results))


def render(results: dict) -> str:
    """The results as Markdown."""
    facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in results["machine"].items())
    texts = [HEAD, f"Machine: {facts}.\n"]
    for part, title in PARTS.items():
        if part in results:
            shown = importlib.import_module(f"benchmarks.{part}").show(results[part])
            texts.append(f"## {title}\n\n{shown}\n")
    return "\n".join(texts)


if __name__ == "__main__":
    main()
