"""Results of local files in other forms: a CSV table, a picture."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aqscore.report import ErrorRecord, FileSource, Report
from aqscore.scale import HIGHEST, LOWEST

COLUMNS = (
    "file", "score", "lower", "upper", "verdict", "worst_score", "worst_start_s", "duration_s",
    "speech_share", "snr_db", "level_dbfs", "warnings", "error",
)  # fmt: skip

type Result = Report | ErrorRecord


def file_of(result: Result) -> str:
    """The path of the recording that a result is for."""
    assert isinstance(result.source, FileSource)
    return result.source.file


def write_csv(results: Sequence[Result], path: Path) -> None:
    """One line a recording, in the order given; what does not apply is left empty."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(map(_row, results))


def write_plot(results: Sequence[Result], path: Path) -> None:
    """The frame scores of each recording over time, one panel below the other, the worst second marked."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    reports = [result for result in results if isinstance(result, Report) and result.frames]
    figure, panels = pyplot.subplots(
        max(len(reports), 1), 1, figsize=(10, 2.6 * max(len(reports), 1)), squeeze=False, layout="constrained"
    )
    for report, panel in zip(reports, panels[:, 0], strict=False):
        frames = report.frames
        assert frames is not None
        times = [frames.start_s + i * frames.hop_s for i in range(len(frames.scores))]
        panel.plot(times, frames.scores, linewidth=1)
        if worst := report.worst_segment:
            panel.axvspan(worst.start_s, worst.end_s, color="tab:red", alpha=0.25)
        panel.set(ylim=(LOWEST - 0.04, HIGHEST + 0.06), xlabel="s", ylabel="MOS-LQO")
        panel.set_title(f"{file_of(report)}: {report.score:.2f}, {report.verdict}", loc="left")
    figure.savefig(path)
    pyplot.close(figure)


def _row(result: Result) -> dict[str, Any]:
    if isinstance(result, ErrorRecord):
        return {"file": file_of(result), "error": f"{result.error.type}: {result.error.message}"}
    lower, upper = result.interval or (None, None)
    worst = result.worst_segment
    return {
        "file": file_of(result),
        "score": result.score,
        "lower": lower,
        "upper": upper,
        "verdict": result.verdict,
        "worst_score": worst and worst.score,
        "worst_start_s": worst and worst.start_s,
        "duration_s": result.media.duration_s,
        "speech_share": result.signal.speech_share,
        "snr_db": result.signal.snr_db,
        "level_dbfs": result.signal.level_dbfs,
        "warnings": " ".join(warning.code for warning in result.warnings),
    }
