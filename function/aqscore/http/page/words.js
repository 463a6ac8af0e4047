// A report in words: numbers for people, causes, measured properties.

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

const KINDS = {
  noise: "Noise",
  reverberation: "Reverberation",
  reverb: "Reverberation",
  clipping: "Clipping",
  band_limit: "Missing high frequencies",
  bandlimit: "Missing high frequencies",
  coding: "Low bit rate",
  packet_loss: "Lost packets",
  dropout: "Dropouts",
  suppression: "Noise suppression",
  level: "Changing level",
};

export const kindName = (kind) =>
  KINDS[kind] ?? kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll("_", " ");

// "Reverberation, most of it": how much of the time, or when, if it is little.
export function causeWords(cause, report) {
  const name = kindName(cause.kind),
    { share } = cause;
  if (share >= 0.95) return `${name}, all of it`;
  if (share >= 0.5) return `${name}, most of it`;
  if (share >= 0.2) return `${name}, part of it`;
  const times = startsOf(cause, report)
    .slice(0, 3)
    .map((at) => clock(at));
  return times.length ? `${name} at ${listed(times)}` : name;
}

// Where the stretches of a cause begin, in seconds; the worst stretch if the timeline names no causes.
function startsOf(cause, report) {
  const found = report.timeline.filter(
    (each, i, all) => each.cause === cause.kind && all[i - 1]?.cause !== cause.kind,
  );
  if (found.length) return found.map((each) => each.start_s);
  return cause.from_s === undefined || cause.from_s === null ? [] : [cause.from_s];
}

// The short names of what is wrong: causes, or the codes of warnings where the model names no causes.
const WARNING_NAMES = {
  no_speech: "No speech",
  too_short: "Too short",
  clipped: "Clipping",
  narrow_band: "Narrow band",
  truncated: "Incomplete file",
  low_level: "Very quiet",
  dc_offset: "DC offset",
  little_speech: "Little speech",
  channels_cancel: "Channels cancel",
  channel_silent: "Silent channel",
  channels_differ: "Channels differ",
  gaps: "Gaps",
  unfinished: "Unfinished file",
  stale_header: "Stale header",
  several_tracks: null, // no fault of the sound
  thinned: null,
};

export function problemsOf({ report, error }) {
  if (error) return ["Error"];
  if (!report) return [];
  if (report.causes?.length) return report.causes.map((cause) => kindName(cause.kind));
  return report.warnings
    .map(({ code }) => (code in WARNING_NAMES ? WARNING_NAMES[code] : kindName(code)))
    .filter(Boolean);
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

const listed = (items) => items.join(", ").replace(/, ([^,]*)$/, " and $1");

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

// For screen readers: the result in one sentence or two.
export function spoken({ name, report, error }) {
  if (error) return `${name} could not be scored. ${error.message}`;
  const score = report.score === null ? "no score" : `score ${report.score.toFixed(2)}, ${report.verdict}`;
  const why = report.causes?.length
    ? report.causes.map((cause) => causeWords(cause, report))
    : report.warnings.map((each) => each.message);
  return [`${name}: ${score}.`, ...why.map((each) => each.replace(/\.?$/, "."))].join(" ");
}
