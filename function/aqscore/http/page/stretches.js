// The stretches of a recording that a timeline marks, and the scores of frames as curves.

import { causeColor, causeRuns, kindName } from "./causes.js";

// [{from, to, label, color, peak, worst}]: by cause, most important ones last, then the worst second.
export function stretchesOf(report) {
  const runs = causeRuns(report).map((run) => ({
    ...run,
    label: kindName(run.kind),
    color: causeColor(run.place),
  }));
  const found = runs.sort((a, b) => Boolean(a.peak) - Boolean(b.peak) || (a.peak && b.place - a.place));
  const worst = report.worst_segment;
  if (worst) {
    const parts = [
      "Worst second",
      worst.score.toFixed(2),
      worst.cause && kindName(worst.cause).toLowerCase(),
    ];
    const label = parts.filter(Boolean).join(", ");
    found.push({ from: worst.start_s, to: worst.end_s, label, worst: true });
  }
  return found;
}

// The scores over time: {start, hop, values}. Without frames, the seconds of the timeline.
export function curveOf({ frames, timeline }) {
  if (frames) return { start: frames.start_s, hop: frames.hop_s, values: frames.scores };
  if (!timeline.length) return { start: 0, hop: 1, values: [] };
  const hop =
    timeline.length > 1 ? timeline[1].start_s - timeline[0].start_s : timeline[0].end_s - timeline[0].start_s;
  return { start: timeline[0].start_s + hop / 2, hop, values: timeline.map((each) => each.score) };
}

// The score at a time, or null outside of the curve.
export function scoreAt({ start, hop, values }, seconds) {
  return values[Math.round((seconds - start) / hop)] ?? null;
}

// The curve between two times in so many columns: [{x, low, mean, high}]. Where a column holds less than one
// value, there is a point for each value.
export function columnsOf({ start, hop, values }, from, to, width) {
  const first = Math.max(0, Math.floor((from - start) / hop)),
    last = Math.min(values.length - 1, Math.ceil((to - start) / hop));
  const xOf = (i) => ((start + i * hop - from) / (to - from)) * width;
  const points = [];
  if (last - first < width) {
    for (let i = first; i <= last; i++)
      points.push({ x: xOf(i), low: values[i], mean: values[i], high: values[i] });
    return points;
  }
  let column = null,
    point = null,
    n = 0;
  for (let i = first; i <= last; i++) {
    const x = Math.floor(xOf(i)),
      value = values[i];
    if (x !== column) {
      column = x;
      n = 0;
      points.push((point = { x: x + 0.5, low: value, mean: 0, high: value }));
    }
    n += 1;
    point.mean += (value - point.mean) / n;
    if (value < point.low) point.low = value;
    if (value > point.high) point.high = value;
  }
  return points;
}
