"""A report as HTML for notebooks: score, MOS, causes, warnings, and the timeline as a drawing."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from aqscore.causes import CAUSE_NAMES
from aqscore.scale import HIGHEST, LOWEST, SCALE, verdict_of

# On white and on black each has a contrast of at least 3 to 1.
COLOURS = {"bad": "#d5434f", "poor": "#c2610c", "fair": "#96730a", "good": "#4e8a34", "excellent": "#0c8a75"}
WIDTH, HEIGHT = 720, 80
MAX_COLUMNS = 240  # of the drawing; in longer recordings a column is the lowest of several seconds


def html_of(report: Mapping[str, Any]) -> str:
    """The HTML of a report as ``Report.to_dict`` returns it: one element, without scripts and links."""
    verdict, source = report["verdict"], report["source"]
    name = source["file"] if "file" in source else f"{source['bucket']}/{source['key']}"
    if report["score"] is None:
        head = "<b>no score</b>"
    else:
        lower, upper = report["interval"]
        head = (
            f'<b style="color:{COLOURS[verdict]};font-size:1.5em">{report["score"]:.2f}</b> '
            f'<b style="color:{COLOURS[verdict]}">{verdict}</b>, '
            f"90 % interval {lower:.2f} to {upper:.2f} ({SCALE})"
        )
    lines = [f"<div>{escape(name)}</div>", f"<div>{head}</div>"]
    if report["mos"] is not None:
        lines.append(f"<div>MOS of listeners, estimate: {report['mos']:.1f} of 5</div>")
    if report["timeline"]:
        lines.append(_drawing(report["timeline"], report["worst_segment"]))
    if worst := report["worst_segment"]:
        cause = f", {CAUSE_NAMES[worst['cause']].lower()}" if worst["cause"] else ""
        lines.append(f"<div>Worst second: {worst['score']:.2f} at {worst['start_s']:.1f} s{cause}</div>")
    lines += [f"<div>{_cause(cause)}</div>" for cause in report["causes"] or []]
    lines += [f"<div>{escape(warning['message'])}</div>" for warning in report["warnings"]]
    return f'<div class="aqscore">{"".join(lines)}</div>'


def _cause(cause: Mapping[str, Any]) -> str:
    """A cause in words: Noise in 92% of the speech, costs 1.6 there, worst from 0.0 to 5.0 s."""
    return (
        f"{CAUSE_NAMES[cause['kind']]} in {cause['share']:.0%} of the speech, costs {cause['severity']:.1f} "
        f"there, worst from {cause['from_s']:.1f} to {cause['to_s']:.1f} s"
    )


def _drawing(timeline: Sequence[Mapping[str, float]], worst: Mapping[str, float] | None) -> str:
    """An SVG of one column for each second, or for several, with the worst second underlined."""
    start_s, end_s = timeline[0]["start_s"], timeline[-1]["end_s"]
    scale = WIDTH / max(end_s - start_s, 1e-9)
    size = -(-len(timeline) // MAX_COLUMNS)
    shapes = []
    for first in range(0, len(timeline), size):
        group = timeline[first : first + size]
        score = min(segment["score"] for segment in group)
        left, right = ((at - start_s) * scale for at in (group[0]["start_s"], group[-1]["end_s"]))
        height = max(2.0, HEIGHT * (score - LOWEST) / (HIGHEST - LOWEST))
        shapes.append(
            f'<rect x="{left:.1f}" y="{HEIGHT - height:.1f}" width="{max(right - left - 0.5, 0.5):.1f}" '
            f'height="{height:.1f}" fill="{COLOURS[verdict_of(score)]}"><title>'
            f"{group[0]['start_s']:.1f} to {group[-1]['end_s']:.1f} s: {score:.2f}</title></rect>"
        )
    if worst:
        left, right = ((worst[side] - start_s) * scale for side in ("start_s", "end_s"))
        shapes.append(
            f'<rect x="{left:.1f}" y="{HEIGHT + 2}" width="{max(right - left, 2.0):.1f}" height="3" '
            'fill="currentColor"/>'
        )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT + 6}" width="{WIDTH}" style="max-width:100%" role="img" '
        f'aria-label="Scores over {end_s - start_s:.1f} s">{"".join(shapes)}</svg>'
    )
