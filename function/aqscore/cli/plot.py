"""Plots: the scores over time of a few recordings, the ranked scores of many."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aqscore.cli.escaping import printable
from aqscore.cli.rows import file_of
from aqscore.cli.scoring import Result
from aqscore.report import Report
from aqscore.scale import HIGHEST, LOWEST, VERDICTS

SUFFIXES = (".png", ".svg", ".pdf")
MAX_TIMELINES = 12  # recordings, beyond which the plot ranks them
MAX_NAMED = 40  # recordings that have room for their names
MAX_NAME_CHARS = 48
WIDTH_IN = 10.0
VERDICT_COLOURS = {
    "excellent": "#2e7d32",
    "good": "#7cb342",
    "fair": "#f9a825",
    "poor": "#ef6c00",
    "bad": "#c62828",
}


def write_plot(results: Sequence[Result], path: Path) -> None:
    """Draws the frame scores of up to 12 recordings over time, the worst second marked; more are ranked."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    reports = [each for each in results if isinstance(each, Report) and each.score is not None]
    draw = _timelines if len(reports) <= MAX_TIMELINES else _ranking
    figure = draw(pyplot, reports)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # in a name of another script
        figure.savefig(path)
    pyplot.close(figure)


def _timelines(pyplot: Any, reports: Sequence[Report]) -> Any:
    """One panel for each recording, one below the other."""
    count = max(len(reports), 1)
    figure, panels = pyplot.subplots(
        count, 1, figsize=(WIDTH_IN, 2.6 * count), squeeze=False, layout="constrained"
    )
    if not reports:
        panels[0, 0].set_title("No recording has a score", loc="left")
    for report, panel in zip(reports, panels[:, 0], strict=False):
        frames = report.frames
        assert frames is not None
        times = [frames.start_s + i * frames.hop_s for i in range(len(frames.scores))]
        panel.plot(times, frames.scores, linewidth=1)
        if worst := report.worst_segment:
            panel.axvspan(worst.start_s, worst.end_s, color="tab:red", alpha=0.25)
        panel.set(ylim=(LOWEST - 0.04, HIGHEST + 0.06), xlabel="s", ylabel="MOS-LQO")
        title = f"{_name(report)}: {report.score:.2f}, {report.verdict}"
        panel.set_title(title, loc="left", parse_math=False)
    return figure


def _ranking(pyplot: Any, reports: Sequence[Report]) -> Any:
    """A dot and its interval for each recording, the worst at the top, over the ranges of the verdicts."""
    ranked = sorted(reports, key=lambda report: (report.score, file_of(report)))
    named = len(ranked) <= MAX_NAMED
    height_in = 1.5 + 0.22 * len(ranked) if named else 9.0
    figure, panel = pyplot.subplots(figsize=(WIDTH_IN, height_in), layout="constrained")
    top = HIGHEST + 0.06
    for threshold, verdict in VERDICTS:
        colour = VERDICT_COLOURS[verdict]
        panel.axvspan(threshold, top, color=colour, alpha=0.10, linewidth=0)
        panel.text((threshold + top) / 2, 1.0, verdict, ha="center", va="bottom",
                   transform=panel.get_xaxis_transform(), color=colour)  # fmt: skip
        top = threshold
    places = range(1, len(ranked) + 1)
    intervals = [report.interval or (report.score, report.score) for report in ranked]
    lower, upper = zip(*intervals, strict=True)
    thickness = 1.5 if named else max(0.2, 300 / len(ranked))
    panel.hlines(places, lower, upper, color="#90a4ae", linewidth=thickness)
    colours = [VERDICT_COLOURS[report.verdict or "bad"] for report in ranked]
    size = 30 if named else max(2, 3000 / len(ranked))
    panel.scatter([report.score for report in ranked], places, s=size, c=colours, zorder=3)
    panel.set(xlim=(LOWEST - 0.04, HIGHEST + 0.06), xlabel="MOS-LQO, with the 90 % interval")
    panel.set_ylim(len(ranked) + 0.5, 0.5)
    if named:
        panel.set_yticks(places, [_name(report) for report in ranked], parse_math=False)
    else:
        panel.set_ylabel("rank, the worst recording first")
    return figure


def _name(report: Report) -> str:
    name = printable(file_of(report))
    return name if len(name) <= MAX_NAME_CHARS else f"…{name[1 - MAX_NAME_CHARS :]}"
