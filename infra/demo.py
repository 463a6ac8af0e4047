"""A demonstration on this machine, without a cloud: ``python -m infra.demo``.

Starts LocalStack, deploys template.yaml into it, uploads three recordings to the incoming bucket and prints
their results from the results bucket.
"""

import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NoReturn

from rich.console import Console
from rich.table import Table

from infra.localstack.install import ROOT
from infra.localstack.server import localstack
from infra.localstack.stack import Stack, deploy

SAMPLES = [ROOT / "examples" / name for name in ("clean.flac", "noisy.flac", "no_speech.flac")]
FOLDER = ROOT / "demo-results"
LOGS = FOLDER / "logs"


def run(console: Console) -> dict[str, dict]:
    """Runs the demonstration and stops everything that it started; returns the results by file name."""
    with ExitStack() as started:
        with step(console, "Starting LocalStack"):
            address = started.enter_context(localstack(LOGS))
        with step(console, "Deploying template.yaml"):
            stack = deploy(address)
        with step(console, "Starting the function"):
            stack.start_function()
        with step(console, f"Uploading {len(SAMPLES)} recordings to s3://{stack.incoming_bucket}"):
            versions = {sample.name: stack.upload(sample.name, sample.read_bytes()) for sample in SAMPLES}
        with step(console, f"Waiting for their results in s3://{stack.results_bucket}"):
            results = {name: collect(stack, name, version) for name, version in versions.items()}
        with step(console, "Stopping LocalStack"):
            started.close()
    return results


def collect(stack: Stack, name: str, version_id: str) -> dict:
    """Waits for the result of one recording, and saves it under its key in the results bucket."""
    document = stack.wait_for_result(name, version_id)
    suffix = ".error.json" if "error" in document else ".json"
    (FOLDER / f"{name}{suffix}").write_text(json.dumps(document, ensure_ascii=False) + "\n")
    return document


def table_of(results: dict[str, dict]) -> Table:
    """A table with one row for each recording."""
    table = Table("file", "score", "interval", "verdict", "mos", "causes", "warnings")
    for name, document in results.items():
        if "error" in document:
            table.add_row(name, *"-----", f"[red]{document['error']['message']}")
            continue
        score, interval = document["score"], document["interval"]
        table.add_row(
            name,
            "-" if score is None else f"{score:.2f}",
            "-" if interval is None else "{:.2f} to {:.2f}".format(*interval),
            document["verdict"] or "-",
            "-" if document["mos"] is None else f"{document['mos']:.1f}",
            ", ".join(cause["kind"] for cause in document["causes"] or []) or "-",
            "\n".join(warning["message"] for warning in document["warnings"]),
        )
    return table


@contextmanager
def step(console: Console, text: str) -> Iterator[None]:
    """Shows ``text`` while the block runs, and then how many seconds it took."""
    started = time.monotonic()
    with console.status(text):
        yield
    seconds = time.monotonic() - started
    console.print(f"[green]✓[/] {text} [dim]({seconds:.1f} s)", highlight=False, soft_wrap=True)


def stop(*_: object) -> NoReturn:
    """Turns SIGTERM into an exception, so that LocalStack is stopped too."""
    sys.exit(128 + signal.SIGTERM)


def main() -> None:
    signal.signal(signal.SIGTERM, stop)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    console = Console()
    try:
        results = run(console)
    except (RuntimeError, TimeoutError) as error:
        raise SystemExit(f"{error}\nThe logs are in {LOGS.relative_to(ROOT)}/.") from None
    console.print(table_of(results))
    console.print(f"The JSON is in {FOLDER.relative_to(ROOT)}/.")


if __name__ == "__main__":
    main()
