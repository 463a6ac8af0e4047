"""``aqscore compare``: two versions of a recording, or of a folder of recordings, score by score."""

import argparse
import json
import math
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqscore.causes import CAUSE_NAMES, cause_words
from aqscore.cli.bootstrap import Difference, paired_difference
from aqscore.cli.escaping import printable
from aqscore.cli.inputs import Selection
from aqscore.cli.messages import print_error
from aqscore.cli.pairs import Matches, Stretch, changed_causes, match, stretches
from aqscore.cli.rows import file_of
from aqscore.config import ScorerConfig
from aqscore.errors import AqscoreError, BadRequest
from aqscore.report import ErrorRecord, Report

if TYPE_CHECKING:
    from rich.console import Console

EXAMPLES = """\
examples:
  aqscore compare before.wav after.wav
  aqscore compare old/ new/                       call.wav and call.mp3 pair
  aqscore compare old/ new/ --reference clean/    PESQ itself beside estimates
  aqscore compare old/ new/ --format json
"""
MAX_SHOWN = 8  # stretches of a single pair
DIFFERENT_LENGTHS_S = 0.5


@dataclass(frozen=True)
class Compared:
    """A pair: its name, both results, and PESQ of both where there is a reference (NaN: no result)."""

    name: str
    first: Report | ErrorRecord
    second: Report | ErrorRecord
    pesq: tuple[float, float] | None

    @property
    def reports(self) -> tuple[Report, Report] | None:
        """Both reports, None where one recording can't be scored."""
        if isinstance(self.first, ErrorRecord) or isinstance(self.second, ErrorRecord):
            return None
        return self.first, self.second

    @property
    def scores(self) -> tuple[float, float] | None:
        """Both scores, None where one has none."""
        return self._of_both(lambda report: report.score)

    @property
    def mos(self) -> tuple[float, float] | None:
        """Both estimates of listeners' MOS, None where one has none."""
        return self._of_both(lambda report: report.mos)

    @property
    def stretches(self) -> list[Stretch]:
        return [] if self.reports is None else stretches(*self.reports)

    def _of_both(self, value: Callable[[Report], float | None]) -> tuple[float, float] | None:
        if self.reports is None:
            return None
        first, second = map(value, self.reports)
        return None if first is None or second is None else (first, second)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of ``aqscore compare``."""
    parser.set_defaults(run=run)
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument("first", type=Path, metavar="A", help="a recording or a folder")
    parser.add_argument("second", type=Path, metavar="B", help="its other version")
    parser.add_argument(
        "--reference", type=Path, metavar="PATH", help="the clean original, or a folder of them, for PESQ"
    )
    parser.add_argument("--jobs", type=int, metavar="N", help="processes (default: one for each core)")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: %(default)s")


def run(options: argparse.Namespace) -> int:
    """Prints the comparison. Returns 0; 1 if a recording has no score; 2 if nothing can be compared."""
    from rich.console import Console

    try:
        config = ScorerConfig.from_env()
        matches = _matches(options.first, options.second)
        compared = list(_compared(matches, options, config))
    except AqscoreError as error:
        print_error(error)
        return 2
    pairs = [pair.scores for pair in compared if pair.scores is not None]
    difference = paired_difference(*zip(*pairs, strict=True)) if pairs else None
    if options.format == "json":
        print(json.dumps(_document(compared, matches, difference), indent=2))
    else:
        _print(Console(highlight=False), compared, matches, difference)
    return int(len(pairs) < len(compared))


def _matches(first: Path, second: Path) -> Matches:
    if not first.is_dir() and not second.is_dir():
        return Matches({first.name: (first, second)}, (), ())
    if not (first.is_dir() and second.is_dir()):
        raise BadRequest(
            f"{first} and {second} are a folder and a file, expected two of one kind.",
            advice="Name two recordings, or two folders.",
        )
    files = [
        [Path(found.path) for found in Selection().find([str(folder)]) if found.error is None]
        for folder in (first, second)
    ]
    matches = match(first, second, *files)
    if not matches.pairs:
        raise BadRequest(
            f"{first} and {second} have no recordings of the same name.",
            advice="Give both versions of a recording the same name; the suffix may differ.",
        )
    return matches


def _compared(matches: Matches, options: argparse.Namespace, config: ScorerConfig) -> Iterator[Compared]:
    from rich.console import Console

    from aqscore.cli.pesq import check_installed, pesq_wb
    from aqscore.cli.progress import progress_bar
    from aqscore.scorer import Scorer

    references = _references(options.reference, matches)
    if options.reference is not None:
        check_installed()
    scorer = Scorer.from_config(config)
    paths = [path for pair in matches.pairs.values() for path in pair]
    console = Console(stderr=True)
    with (
        closing(scorer.score_many(paths, jobs=options.jobs, frames=False)) as results,
        progress_bar(console, len(matches.pairs), shown=console.is_terminal) as advance,
    ):
        for name in matches.pairs:
            first, second = next(results), next(results)
            pesq = None
            if reference := references.get(name):
                one, other = (pesq_wb(reference, path, config) for path in matches.pairs[name])
                pesq = one, other
            yield Compared(name, first, second, pesq)
            advance()


def _references(reference: Path | None, matches: Matches) -> dict[str, Path]:
    """The reference of each pair that has one."""
    if reference is None:
        return {}
    if not reference.is_dir():
        return dict.fromkeys(matches.pairs, reference)
    files = [path for path in reference.rglob("*") if path.is_file()]
    # Against the names of the pairs, which stand for files of a folder.
    found = match(reference, Path(), files, [Path(name) for name in matches.pairs])
    return {str(name): path for path, name in found.pairs.values()}


def _print(
    console: "Console", compared: list[Compared], matches: Matches, difference: Difference | None
) -> None:
    from rich.markup import escape
    from rich.table import Table

    with_pesq = any(pair.pesq for pair in compared)
    table = Table(box=None, pad_edge=False)
    table.add_column("recording", overflow="fold", ratio=1)
    for heading in ("A", "B", "B - A", *(("PESQ A", "PESQ B") if with_pesq else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("differs most", no_wrap=True)
    order = sorted(compared, key=lambda pair: pair.scores[1] - pair.scores[0] if pair.scores else math.inf)
    for pair in order:
        table.add_row(escape(printable(pair.name)), *_cells(pair, with_pesq))
    console.print(table)
    for pair in order:
        for side, result in (("A", pair.first), ("B", pair.second)):
            if isinstance(result, ErrorRecord):
                text = f"{printable(file_of(result))} ({side}): {result.error.message} {result.error.advice}"
                console.print(text, style="red", markup=False, soft_wrap=True)
    if len(compared) == 1:
        _print_stretches(console, compared[0])
        _print_change(console, compared[0])
    for side, names in (("A", matches.only_first), ("B", matches.only_second)):
        if names:
            shown = ", ".join(map(printable, names[:3])) + (", ..." if len(names) > 3 else "")
            console.print(f"{len(names)} only in {side}: {shown}", markup=False, soft_wrap=True)
    if difference is not None and len(compared) > 1:
        console.print(sentence(difference, sum(pair.scores is not None for pair in compared)), soft_wrap=True)
    if len(compared) > 1:
        _print_changes(console, compared)


def _cells(pair: Compared, with_pesq: bool) -> Iterator[str]:
    for result in (pair.first, pair.second):
        score = result.score if isinstance(result, Report) else None
        yield "error" if isinstance(result, ErrorRecord) else "-" if score is None else f"{score:.2f}"
    yield "" if pair.scores is None else _signed(pair.scores[1] - pair.scores[0])
    if with_pesq:
        yield from ("-" if math.isnan(value) else f"{value:.2f}" for value in pair.pesq or (math.nan,) * 2)
    worst = next(iter(pair.stretches), None)
    yield "" if worst is None else f"{_signed(worst.second - worst.first)} at {worst.start_s:.0f} s"


def _print_stretches(console: "Console", pair: Compared) -> None:
    if pair.reports is None:
        return
    lengths = [report.media.duration_s for report in pair.reports]
    if abs(lengths[0] - lengths[1]) > DIFFERENT_LENGTHS_S:
        console.print(
            f"A lasts {lengths[0]:.1f} s, B {lengths[1]:.1f} s: times correspond only while both are aligned."
        )
    found = pair.stretches
    for each in found[:MAX_SHOWN]:
        cause = f", {CAUSE_NAMES[each.cause].lower()}" if each.cause else ""
        console.print(
            f"{each.start_s:8.1f} to {each.end_s:.1f} s: {each.first:.2f} in A, {each.second:.2f} in B{cause}"
        )
    if len(found) > MAX_SHOWN:
        console.print(f"and {len(found) - MAX_SHOWN} more stretches")


def _print_change(console: "Console", pair: Compared) -> None:
    """The listeners' MOS and the causes of a single pair."""
    if pair.mos is not None:
        console.print("MOS: {:.2f} in A, {:.2f} in B".format(*pair.mos))
    causes = [report.causes for report in pair.reports or ()]
    if any(causes):
        words = (
            ", ".join(cause_words(cause.kind, cause.share) for cause in found or ()) or "none"
            for found in causes
        )
        console.print("Causes: {} in A; {} in B".format(*words), soft_wrap=True)


def _print_changes(console: "Console", compared: list[Compared]) -> None:
    """The listeners' MOS and the causes over a set of pairs."""
    mos = [pair.mos for pair in compared if pair.mos is not None]
    if mos:
        difference = paired_difference(*zip(*mos, strict=True))
        console.print(sentence(difference, len(mos), "the MOS of B"), soft_wrap=True)
    for kind, first, second in changed_causes(pair.reports for pair in compared if pair.reports):
        console.print(f"{CAUSE_NAMES[kind]}: {first} in A, {second} in B")


def sentence(difference: Difference, count: int, subject: str = "B") -> str:
    """The difference over a set of pairs in words. ``subject`` names the value of the second versions."""
    direction = "lower" if difference.mean < 0 else "higher"
    words = f"{count} pairs: {subject} is {abs(difference.mean):.2f} {direction} on average"
    if difference.low is None or difference.high is None or difference.p is None:
        return f"{words}. Too few pairs to tell it from chance."
    p = f"p = {difference.p:.3f}" if difference.p >= 0.001 else "p < 0.001"
    interval = f"95 % interval {_signed(difference.low)} to {_signed(difference.high)}, paired bootstrap, {p}"
    verdict = "" if difference.significant else " That may be chance."
    return f"{words} ({interval}).{verdict}"


def _signed(value: float) -> str:
    return f"{value:+.2f}"


def _document(compared: list[Compared], matches: Matches, difference: Difference | None) -> dict[str, Any]:
    return {
        "pairs": [
            {
                "name": pair.name,
                "first": _side(pair.first, pair.pesq and pair.pesq[0]),
                "second": _side(pair.second, pair.pesq and pair.pesq[1]),
                "difference": None if pair.scores is None else round(pair.scores[1] - pair.scores[0], 3),
                "stretches": [asdict(stretch) for stretch in pair.stretches],
            }
            for pair in compared
        ],
        "only_first": matches.only_first,
        "only_second": matches.only_second,
        "mean_difference": difference and asdict(difference),
    }


def _side(result: Report | ErrorRecord, pesq: float | None) -> dict[str, Any]:
    document = result.to_dict()
    return {
        "file": document["source"]["file"],
        "score": document.get("score"),
        "interval": document.get("interval"),
        "mos": document.get("mos"),
        "mos_interval": document.get("mos_interval"),
        "causes": document.get("causes"),
        "pesq": None if pesq is None or math.isnan(pesq) else round(pesq, 3),
        "error": document.get("error"),
    }
