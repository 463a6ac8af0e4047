"""``aqscore watch``: scores the recordings that land in a folder, and writes a JSON file for each."""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from aqscore.cli.drop_folder import DropFolder
from aqscore.cli.escaping import printable
from aqscore.cli.inputs import Input, suitable_jobs
from aqscore.cli.messages import print_error
from aqscore.cli.scoring import results_of
from aqscore.config import ScorerConfig
from aqscore.errors import AqscoreError, BadRequest
from aqscore.report import ErrorRecord
from aqscore.scorer import Options, Scorer

EXAMPLES = """\
examples:
  aqscore watch incoming/                       call.wav.json beside call.wav
  aqscore watch incoming/ --output results/
  aqscore watch incoming/ --once                score what is there, then end

A recording is scored when it has not changed for --settle seconds. After a
restart only recordings without a current result are scored. One that can't be
scored gets call.wav.error.json, with the reason and advice.
"""
BATCH = 256  # recordings scored before the folder is looked at again
PAUSE_S = 1.0  # at most, from one look to the next


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of ``aqscore watch``."""
    parser.set_defaults(run=run)
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="with its subfolders")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="for the results (default: the same)")
    parser.add_argument("--settle", type=_seconds, default=2.0, metavar="S", help="default: %(default)g s")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes (default: one for each core)")
    parser.add_argument("--no-frames", action="store_true", help="leave the scores of single frames out")
    parser.add_argument("--once", action="store_true", help="end when every recording has its result")


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: expected seconds from 0")
    return value


def run(options: argparse.Namespace) -> int:
    """Scores until Ctrl-C, or once. Returns 0; 1 if a recording of ``--once`` has no score; 2 at start."""
    try:
        config = ScorerConfig.from_env()
        scorer = Scorer.from_config(config)
        scorer.score_many([], jobs=options.jobs)  # checks the number
        if not options.folder.is_dir():
            raise BadRequest(f"{options.folder} is no folder.", advice="Name a folder that exists.")
    except AqscoreError as error:
        print_error(error)
        return 2
    folder = DropFolder(options.folder, options.output or options.folder, options.settle)
    print(f"Watching {printable(str(options.folder))} (Ctrl-C ends it)", file=sys.stderr, flush=True)
    failed = 0
    try:
        while True:
            if inputs := folder.ready(time.monotonic())[:BATCH]:
                failed += _score(inputs, folder, scorer, config.limits.max_bytes, options)
            elif options.once and (folder.settled or failed):
                return int(failed > 0)
            else:
                time.sleep(min(PAUSE_S, options.settle))
    except KeyboardInterrupt:
        return 0


def _score(
    inputs: Sequence[Input], folder: DropFolder, scorer: Scorer, max_bytes: int, options: argparse.Namespace
) -> int:
    """Scores the recordings and keeps their results; returns the number without a report."""
    failed = 0
    jobs = options.jobs or suitable_jobs(inputs)
    wanted = Options(frames=not options.no_frames)
    with closing(results_of(inputs, scorer, jobs, max_bytes, wanted)) as results:
        for each, result in zip(inputs, results, strict=True):
            name = printable(each.path)
            try:
                written = folder.keep(each, result, time.monotonic())
            except OSError as error:
                print(f"{name}: the result can't be written ({error.strerror}).", file=sys.stderr)
                failed += 1
                continue
            if isinstance(result, ErrorRecord):
                print(f"{name}: {printable(result.error.message)}", file=sys.stderr)
                failed += 1
            elif written:
                score = "no score" if result.score is None else f"{result.score:.2f} {result.verdict}"
                print(f"{name}\t{score}", flush=True)
    return failed
