"""``aqscore summary``: distribution, worst recordings, causes, and the drift between two runs."""

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqscore.causes import CAUSE_NAMES, CAUSES
from aqscore.cli.bootstrap import MIN_SAMPLES, Difference, paired_difference, unpaired_difference
from aqscore.cli.escaping import printable
from aqscore.cli.messages import print_error
from aqscore.cli.results import Results, Row, read_results
from aqscore.errors import AqscoreError, BadRequest
from aqscore.scale import VERDICTS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

EXAMPLES = """\
examples:
  aqscore summary results.jsonl
  aqscore summary results/ --worst 20              as `aqscore watch` writes it
  aqscore summary new.jsonl --against old.jsonl    drift since an earlier run
  aqscore summary results.jsonl --html summary.html
"""
STYLES = {"excellent": "green", "good": "green", "fair": "yellow", "poor": "red", "bad": "bold red"}
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BAR_LEFT, BAR_WIDTH = 25, 40  # columns
MIN_NAME_WIDTH = 10
LOW = 2.0  # below it, the verdict is "bad"
MAX_CHANGED = 5
HTML_WIDTH = 110
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>aqscore summary</title>
<style>{stylesheet}
body {{ color: {foreground}; background: {background}; }}
pre {{ font-family: ui-monospace, monospace; overflow-x: auto; }}</style>
</head>
<body><pre>{code}</pre></body>
</html>
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of ``aqscore summary``."""
    parser.set_defaults(run=run)
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "results", type=Path, metavar="RESULTS", help="JSON lines of results, a folder of them, or -"
    )
    parser.add_argument("--against", type=Path, metavar="RESULTS", help="an earlier run, to show the drift")
    parser.add_argument(
        "--worst", type=int, default=10, metavar="N", help="recordings (default: %(default)s)"
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write an HTML page instead")


def run(options: argparse.Namespace) -> int:
    """Prints or writes the summary. Returns 0; 2 where there is none."""
    from rich.console import Console

    try:
        found = read_results(options.results)
        earlier = None if options.against is None else read_results(options.against)
        if options.html is None:
            console = Console(highlight=False)
            _print(console, found, earlier, options)
        else:
            with Path(os.devnull).open("w") as nowhere:
                console = Console(highlight=False, record=True, width=HTML_WIDTH, file=nowhere)
                _print(console, found, earlier, options)
                _write(options.html, console.export_html(code_format=PAGE))
    except AqscoreError as error:
        print_error(error)
        return 2
    return 0


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadRequest(
            f"{path} can't be written ({error.strerror}).", advice="Name a file in a folder that exists."
        ) from None


def _print(console: "Console", found: Results, earlier: Results | None, options: argparse.Namespace) -> None:
    rows = found.rows
    scored = [row for row in rows if row.score is not None]
    failed = [row for row in rows if row.error is not None]
    hours = sum(row.duration_s for row in rows) / 3600
    console.print(
        f"{len(rows):,} recordings, {hours:,.1f} h: {len(scored):,} scored, "
        f"{len(rows) - len(scored) - len(failed):,} without a score, {len(failed):,} failed"
    )
    console.print(f"model: {', '.join(_models(rows)) or 'none'}", markup=False)
    if found.skipped:
        console.print(f"{found.skipped} lines are no results and were left out", style="yellow")
    if scored:
        _print_distribution(console, scored)
        _print_worst(console, scored, options.worst)
    _print_causes(console, rows)
    _print_warnings(console, rows)
    _print_errors(console, rows)
    if earlier is not None:
        _print_drift(console, earlier.rows, rows, options.against)


def _print_distribution(console: "Console", scored: Sequence[Row]) -> None:
    import numpy as np

    console.print()
    for title, found in (
        ("Scores", [row.score for row in scored if row.score is not None]),
        ("MOS", [row.mos for row in scored if row.mos is not None]),
    ):
        if found:
            values = "   ".join(
                f"{'median' if share == 0.5 else f'{share:.0%}'} {value:.2f}"
                for share, value in zip(QUANTILES, np.quantile(found, QUANTILES), strict=True)
            )
            console.print(f"[bold]{title:<6}[/]  {values}   mean {np.mean(found):.2f}")
    counts = Counter(row.verdict for row in scored)
    largest, width = max(counts.values()), max(1, min(BAR_WIDTH, console.width - BAR_LEFT))
    for _, verdict in VERDICTS:
        count = counts[verdict]
        bar = "█" * round(width * count / largest) or ("▏" if count else "")
        console.print(f"{verdict:>9} {count:>7,} {count / len(scored):>6.1%} [{STYLES[verdict]}]{bar}[/]")


def _print_worst(console: "Console", scored: Sequence[Row], count: int) -> None:
    worst = sorted(scored, key=lambda row: (row.score, row.name))[:count]
    causes = ["cause"] if any(row.causes for row in worst) else []
    table = _table("Worst", "score", "worst second", *causes, "warnings")
    for row in worst:
        moment = "" if row.worst_score is None else f"{row.worst_score:.2f} at {row.worst_start_s:.1f} s"
        cause = [CAUSE_NAMES[row.causes[0]] if row.causes else ""] if causes else []
        table.add_row(_plain(row.name), f"{row.score:.2f}", moment, *cause, " ".join(row.warnings))
    console.print()
    console.print(table)


def _print_causes(console: "Console", rows: Sequence[Row]) -> None:
    """Of the recordings whose model names causes: how many have each, and the mean score of these."""
    rows = [row for row in rows if row.causes is not None]
    _print_counts(
        console, "Causes", [(row.score, [CAUSE_NAMES[kind] for kind in row.causes or ()]) for row in rows]
    )


def _print_warnings(console: "Console", rows: Sequence[Row]) -> None:
    _print_counts(console, "Warnings", [(row.score, row.warnings) for row in rows])


def _print_counts(
    console: "Console", title: str, found: Sequence[tuple[float | None, Sequence[str]]]
) -> None:
    """Of the results, each with its score and its words: how many have each word, and their mean score."""
    counts = Counter(word for _, words in found for word in words)
    if not counts:
        return
    table = _table(title, "files", "share", "mean", "others")
    for word, count in counts.most_common():
        means = [
            _mean([score for score, words in found if score is not None and (word in words) is has])
            for has in (True, False)
        ]
        table.add_row(word, f"{count:,}", f"{count / len(found):.1%}", *means)
    console.print()
    console.print(table)


def _print_errors(console: "Console", rows: Sequence[Row]) -> None:
    errors = Counter(row.error for row in rows if row.error is not None)
    if errors:
        table = _table("Errors", "files", "for example")
        for error, count in errors.most_common():
            example = next(row for row in rows if row.error == error)
            table.add_row(error, f"{count:,}", _plain(f"{example.name}: {example.message}"))
        console.print()
        console.print(table)


def _print_drift(console: "Console", before: Sequence[Row], after: Sequence[Row], name: Path) -> None:
    console.print(f"\n[bold]Drift[/] against {name}", soft_wrap=True)
    old, new = ({row.name: row.score for row in rows if row.score is not None} for rows in (before, after))
    if not old or not new:
        console.print("One of the runs has no scores.")
        return
    common = [name for name in new if name in old]
    paired = len(common) >= max(MIN_SAMPLES, min(len(old), len(new)) / 2)
    if paired:
        difference = paired_difference([old[name] for name in common], [new[name] for name in common])
        basis = f"{len(common):,} recordings in both runs, paired bootstrap"
    else:
        difference = unpaired_difference(list(old.values()), list(new.values()))
        basis = f"{len(old):,} and {len(new):,} recordings, bootstrap"
    console.print(f"{drift_sentence(difference)} ({basis})", markup=False, soft_wrap=True)
    shares = [sum(score < LOW for score in scores.values()) / len(scores) for scores in (old, new)]
    console.print(f"Below {LOW}: {shares[0]:.1%} before, {shares[1]:.1%} now")
    _print_causes_drift(console, before, after)
    if (models := (_models(before), _models(after)))[0] != models[1]:
        text = (
            f"The models differ ({', '.join(models[0])}; {', '.join(models[1])}): that alone changes scores."
        )
        console.print(text, style="yellow", markup=False, soft_wrap=True)
    if paired:
        for each in sorted(common, key=lambda name: -abs(new[name] - old[name]))[:MAX_CHANGED]:
            if new[each] != old[each]:
                console.print(
                    f"{new[each] - old[each]:+.2f}  {printable(each)}", markup=False, soft_wrap=True
                )


def _print_causes_drift(console: "Console", before: Sequence[Row], after: Sequence[Row]) -> None:
    """The causes whose share of the recordings changed, the largest change first."""
    runs = [[row.causes for row in rows if row.causes is not None] for rows in (before, after)]
    if not all(runs):
        return
    shares = {kind: [sum(kind in causes for causes in run) / len(run) for run in runs] for kind in CAUSES}
    for kind, (old, new) in sorted(shares.items(), key=lambda each: -abs(each[1][1] - each[1][0])):
        if old != new:
            console.print(f"{CAUSE_NAMES[kind]}: {old:.1%} before, {new:.1%} now")


def drift_sentence(difference: Difference) -> str:
    """A mean difference between two runs in words."""
    mean = f"The mean changed by {difference.mean:+.2f}"
    if difference.low is None or difference.high is None:
        return f"{mean}; too few recordings to tell it from chance"
    verdict = "more than chance explains" if difference.significant else "which may be chance"
    return f"{mean}, 95 % interval {difference.low:+.2f} to {difference.high:+.2f}: {verdict}"


def _models(rows: Sequence[Row]) -> list[str]:
    return sorted({row.model for row in rows if row.model is not None})


def _mean(scores: Sequence[Any]) -> str:
    return f"{sum(scores) / len(scores):.2f}" if scores else ""


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(printable(text))


def _table(title: str, *headings: str) -> "Table":
    """A table whose first column, and the last where it is text, may take several lines."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column(title, overflow="fold", header_style="bold", min_width=MIN_NAME_WIDTH)
    for heading in headings:
        text = heading in ("cause", "warnings", "for example")
        table.add_column(heading, justify="left" if text else "right", no_wrap=not text, overflow="fold")
    return table
