// A report in words: numbers for people, format, verdict.

import { CLASSES, classOf } from "./scale.js";

const MINUS = "\u2212",
  NBSP = "\u00a0";

export const number = (value, digits = 1) => value.toFixed(digits).replace("-", MINUS);

export const percent = (share) =>
  share > 0 && share < 0.01 ? `${number(share * 100, 2)}${NBSP}%` : `${Math.round(share * 100)}${NBSP}%`;

export const count = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

// 3725.4 s is 1:02:05; with one digit, 65.42 s is 1:05.4.
export function clock(seconds, digits = 0) {
  const unit = 10 ** digits,
    whole = Math.round(seconds * unit) / unit;
  const hours = Math.floor(whole / 3600),
    minutes = Math.floor(whole / 60) % 60;
  const rest = (whole % 60).toFixed(digits).padStart(digits ? 3 + digits : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

export function mediaWords({ media }) {
  const channels = { 1: "mono", 2: "stereo" }[media.channels] ?? `${media.channels} channels`;
  const codec = media.codec.replace(/^PCM_[SU]?(\d+)$/, "$1 bit").replaceAll("_", " ");
  const format = media.container === media.codec ? media.container : `${media.container} ${codec}`;
  return [
    clock(media.duration_s, media.duration_s < 60 ? 1 : 0),
    format,
    `${number(media.sample_rate_hz / 1000, 3).replace(/\.?0+$/, "")} kHz`,
    channels,
  ];
}

// Where it is good and where not: "Mostly excellent, bad from 0:03 to 0:05 and poor at 0:12".
export function whereWords({ distribution, timeline }) {
  if (!distribution || !timeline.length) return null;
  const most = CLASSES.find(({ name }) => distribution[name] >= 0.5)?.name;
  const start = !most ? "Mixed" : distribution[most] >= 0.9 ? `Nearly all of it ${most}` : `Mostly ${most}`;
  const stretches = weakStretches(
    timeline,
    most ? CLASSES.findIndex(({ name }) => name === most) : CLASSES.length,
  );
  if (!stretches.length) return `${start}.`;
  if (stretches.length > 3) return `${start}, with ${stretches.length} weak stretches.`;
  const parts = CLASSES.map(({ name }) => [
    name,
    stretches.filter((each) => each.name === name).map(timeOf),
  ]).filter(([, times]) => times.length);
  return `${start}, ${parts.map(([name, times]) => `${name} ${listed(times)}`).join(" and ")}.`;
}

const timeOf = ({ from, to }) =>
  to - from <= 2 ? `at ${clock(from)}` : `from ${clock(from)} to ${clock(Math.ceil(to))}`;

export const listed = (items) => items.join(", ").replace(/, ([^,]*)$/, " and $1");

// Successive seconds that are poor or bad, and worse than class number `usual`.
function weakStretches(timeline, usual) {
  const found = [];
  for (const { start_s: from, end_s: to, score } of timeline) {
    const { name } = classOf(score);
    if (CLASSES.findIndex((each) => each.name === name) >= Math.min(usual, 2)) continue;
    const last = found.at(-1);
    if (last && from - last.to < 0.01 && last.name === name) last.to = to;
    else found.push({ from, to, name });
  }
  return found;
}

export function intervalWords(report) {
  return report.interval
    ? `Nine times out of ten between ${report.interval[0].toFixed(2)} and ${report.interval[1].toFixed(2)}.`
    : "";
}

export const scoreWords = ({ score, verdict }) =>
  score === null ? "no score" : `${score.toFixed(2)} ${verdict}`;
