"""The table for a person: worst recordings first, each with its channels, then the errors, each whole."""

import os
from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from aqscore.causes import cause_words
from aqscore.cli.escaping import printable
from aqscore.cli.rows import file_of
from aqscore.cli.scoring import Result
from aqscore.report import ErrorRecord, Report, Scored
from aqscore.scale import verdict_range

SORTS: dict[str, Callable[[Report], object]] = {
    "score": lambda report: (report.score is None, report.score),
    "name": lambda report: file_of(report),
    "given": lambda report: 0,
}
VERDICT_STYLES = {"excellent": "green", "good": "green", "fair": "yellow", "poor": "red", "bad": "bold red"}
NOISY_BELOW_DB = 20.0  # a signal-to-noise ratio below it is shown as a possible cause
SAME_AS_CAUSE = {"clipped": "clipping", "narrow_band": "band_limit"}  # warnings, and the causes that say more
GAP = 2  # cells between columns


class Column:
    """A column of the table, and how it is filled in."""

    def __init__(
        self, heading: str, cell: Callable[[Scored], str], *, right: bool = False, coloured: bool = False
    ) -> None:
        self.heading, self.cell = heading, cell
        self.right, self.coloured = right, coloured

    def width(self, rows: Sequence[Scored]) -> int:
        """The cells that its longest text takes, 0 if it says nothing about any recording."""
        longest = max((cell_len(self.cell(each)) for each in rows), default=0)
        return max(longest, cell_len(self.heading)) if longest else 0


def print_table(results: Sequence[Result], console: Console, sort: str) -> None:
    """Prints the table and the errors, in at most the width of the console."""
    reports = sorted((each for each in results if isinstance(each, Report)), key=SORTS[sort])  # type: ignore[arg-type]
    if reports:
        _print_reports(reports, console)
    errors = [each for each in results if isinstance(each, ErrorRecord)]
    if errors:
        console.print(Text(("\n" if reports else "") + "Could not be scored:", style="bold red"))
    for record in errors:
        console.print(Text(printable(file_of(record)), style="bold"), overflow="fold")
        text = Text(printable(record.error.message)).append(f" {printable(record.error.advice)}", "dim")
        console.print(Padding(text, (0, 0, 0, GAP)), overflow="fold")


def _print_reports(reports: Sequence[Report], console: Console) -> None:
    folder = _common_folder([file_of(each) for each in reports])
    rows: list[tuple[str, Scored]] = []
    for report in reports:
        rows.append((printable(file_of(report)[len(folder) :]), report))
        if report.media.channels > 1:
            rows += [(f"  channel {number}", each) for number, each in enumerate(report.channels or [], 1)]
    longest = max(cell_len(name) for name, _ in rows)
    shown = [scored for _, scored in rows]
    columns = _columns_that_fit(shown, console.width - GAP, longest)
    name_width = console.width - sum(column.width(shown) + GAP for column in columns)
    if folder:
        console.print(Text(shortened(f"in {printable(folder)}", console.width), style="dim"))
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    table.add_column("File", no_wrap=True)
    for column in columns:
        justify = "right" if column.right else "left"
        table.add_column(column.heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for name, scored in rows:
        style = VERDICT_STYLES.get(scored.verdict or "", "dim")
        cells = [Text(column.cell(scored), style=style if column.coloured else "") for column in columns]
        table.add_row(Text(shortened(name, max(name_width, 1))), *cells)
    console.print(table)


def _columns_that_fit(rows: Sequence[Scored], width: int, longest_name: int) -> list[Column]:
    """The columns to show beside the name within ``width`` cells: those that say least go first."""
    score = Column("Score", _score, right=True, coloured=True)
    interval = Column("90 % interval", _interval)
    verdict = Column("Verdict", _verdict, coloured=True)
    short_verdict = Column("Verdict", _short_verdict, coloured=True)
    worst = Column("Worst second", _worst)
    cause = Column("Cause", _cause)
    for name_cells, columns in (
        (48, [score, interval, verdict, worst, cause]),
        (32, [score, verdict, worst, cause]),
        (24, [score, short_verdict, worst, cause]),
        (16, [score, short_verdict, cause]),
        (12, [score, short_verdict]),
    ):
        shown = [column for column in columns if column.width(rows)]
        taken = sum(column.width(rows) + GAP for column in shown)
        if taken + min(longest_name, name_cells) <= width:
            return shown
    return [score]


def _score(report: Scored) -> str:
    return "-" if report.score is None else f"{report.score:.2f}"


def _interval(report: Scored) -> str:
    return "" if report.interval is None else "{:.1f} to {:.1f}".format(*report.interval)


def _verdict(report: Scored) -> str:
    """The verdict, and those that the interval allows: fair, could be poor to good."""
    if report.verdict is None or report.interval is None:
        return report.verdict or "no score"
    others = [each for each in verdict_range(report.interval) if each != report.verdict]
    return f"{report.verdict}, could be {' to '.join(others)}" if others else report.verdict


def _short_verdict(report: Scored) -> str:
    if report.verdict is None or report.interval is None:
        return report.verdict or "no score"
    lowest, highest = verdict_range(report.interval)
    return lowest if lowest == highest else f"{lowest} to {highest}"


def _worst(report: Scored) -> str:
    worst = report.worst_segment
    return "" if worst is None else f"{worst.score:.2f} at {clock(worst.start_s)}"


def _cause(report: Scored) -> str:
    """The main cause and the warnings; where the model names no causes, the noise that was measured."""
    signal = report.signal
    left_out = set(range(1, report.media.channels + 1)).difference(report.media.scored_channels or [])
    measured = {
        "channel_silent": f"channel {', '.join(map(str, sorted(left_out)))} silent",
        "no_speech": "no speech",
        "dc_offset": "DC offset",
        "clipped": f"clipped {signal.clipped_share:.1%}",
        "narrow_band": f"narrow band {(report.media.bandwidth_hz or 0) / 1000:.1f} kHz",
        "low_level": "low level" if signal.level_dbfs is None else f"low level {signal.level_dbfs:.0f} dBFS",
    }
    codes = [warning.code for warning in report.warnings]
    if "channels_cancel" in codes:  # it leaves channels out, too
        del measured["channel_silent"]
    named = {cause.kind for cause in report.causes or ()}
    found = [cause_words(cause.kind, cause.share) for cause in (report.causes or ())[:1]]
    found += [
        measured.get(code, code.replace("_", " ")) for code in codes if SAME_AS_CAUSE.get(code) not in named
    ]
    noisy = signal.snr_db is not None and signal.snr_db < NOISY_BELOW_DB
    if report.causes is None and report.score is not None and noisy:
        found.append(f"noise, SNR {signal.snr_db:.0f} dB")
    return ", ".join(found)


def clock(seconds: float) -> str:
    """A place in a recording: 3.3 s, 12:05 or 1:02:05."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def shortened(text: str, width: int) -> str:
    """The text in at most ``width`` cells. An ellipsis stands for its middle: names differ at their end."""
    if cell_len(text) <= width:
        return text
    head, tail = "", ""
    for part in text:
        if cell_len(head + part) > (width - 1) // 3:
            break
        head += part
    for part in reversed(text):
        if cell_len(head + "…" + part + tail) > width:
            break
        tail = part + tail
    return f"{head}…{tail}"


def _common_folder(paths: Sequence[str]) -> str:
    """The folder that all paths begin with, with its separator."""
    try:
        common = os.path.commonpath([os.path.dirname(path) for path in paths])  # noqa: PTH120
    except ValueError:  # absolute and relative paths, or several drives
        return ""
    prefix = common.rstrip(os.sep) + os.sep
    return prefix if len(common) > 1 and all(path.startswith(prefix) for path in paths) else ""
