"""The options of ``aqscore score``."""

import argparse
import math
from typing import TYPE_CHECKING

from aqscore.errors import BadRequest
from aqscore.scale import HIGHEST, LOWEST

if TYPE_CHECKING:
    from aqscore.pipeline import Channels

# Named here too, as their modules take long to import.
FORMATS = ("table", "tsv", "csv", "jsonl", "json")
SORTS = ("score", "name", "given")

EXAMPLES = """\
examples:
  aqscore score call.wav                             one recording
  aqscore score calls/ --fail-under 2.5              status 3 if one scores less
  aqscore score calls/ --output scores.csv --resume  stop and go on at any time
  aqscore score calls/ | cut -f 1,2,5                a line for each recording
  ffmpeg -i film.mkv -f wav - | aqscore score -      standard input

exit status: 0 all scored, 1 some could not be scored, 2 wrong option or output,
3 below --fail-under, 130 interrupted. More: docs/command-line.md
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.usage = "aqscore score [OPTION ...] PATH ..."
    parser.epilog = EXAMPLES
    parser.formatter_class = _Help
    add = parser.add_argument
    add("paths", nargs="*", metavar="PATH", help="a recording, a folder, or - for standard input")
    inputs = parser.add_argument_group("inputs")
    add = inputs.add_argument
    add(
        "--files-from",
        action="append",
        default=[],
        metavar="FILE",
        help="read paths from a list, or a Kaldi .scp",
    )
    add("--include", action="append", default=[], metavar="GLOB", help="take only these files from folders")
    add("--exclude", action="append", default=[], metavar="GLOB", help="leave these files and folders out")
    add("--start", type=_seconds, default=0.0, metavar="S", help="score from this second on")
    add("--end", type=_seconds, default=math.inf, metavar="S", help="score up to this second")
    add(
        "--channels", type=_channels, default="mix", metavar="WHICH", help="mix (default), split, or a number"
    )
    add("--track", type=_track, metavar="N", help="audio track of a video (default: the one a player takes)")
    outputs = parser.add_argument_group("outputs")
    add = outputs.add_argument
    add("--format", choices=FORMATS, help="table in a terminal, tsv in a pipe, unless given here")
    add("--output", metavar="FILE", help="write there, in the format of its suffix")
    add("--resume", action="store_true", help="skip what --output has, if file and model are the same")
    add("--sort", choices=SORTS, help="order of the table (default: score, the worst first)")
    add("--no-frames", action="store_true", help="leave the scores of single frames out of JSON")
    add("--csv", metavar="FILE", help="also write CSV")
    add("--plot", metavar="FILE", help="also draw the scores, as PNG, SVG or PDF")
    add("--report", metavar="FILE", help="also write an HTML page with all results")
    add("--embed-audio", action="store_true", help="put the sound into --report: adds 4/3 of its size")
    run = parser.add_argument_group("run")
    add = run.add_argument
    add("--jobs", type=_jobs, metavar="N", help="processes (default: one for each core)")
    add("--fail-under", type=_score, metavar="SCORE", help="exit with 3 if a recording has less, or no score")
    add("--quiet", action="store_true", help="no progress bar, no summary")


class _Help(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=22)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not seconds >= 0:
        raise argparse.ArgumentTypeError(f"{text} is no time, expected seconds from 0")
    return seconds


def _channels(text: str) -> "Channels":
    if text == "mix":  # the default, which needs no import
        return "mix"
    from aqscore.pipeline import channels_from

    try:
        return channels_from(text)
    except BadRequest as error:
        raise argparse.ArgumentTypeError(error.message) from None


def _track(text: str) -> int:
    track = int(text)
    if track < 1:
        raise argparse.ArgumentTypeError(f"{text} is no track, expected a number from 1")
    return track


def _jobs(text: str) -> int:
    jobs = int(text)
    if jobs < 1:
        raise argparse.ArgumentTypeError(f"{text} processes can't score, expected 1 or more")
    return jobs


def _score(text: str) -> float:
    score = float(text)
    if not LOWEST <= score <= HIGHEST:
        raise argparse.ArgumentTypeError(f"{text} is no score, expected {LOWEST} to {HIGHEST}")
    return score
