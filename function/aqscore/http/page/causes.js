// The causes of a low score in words: what, how much of it, where.

import { clock, listed } from "./words.js";

const CAUSE_NAMES = {
  noise: "Noise",
  reverberation: "Reverberation",
  clipping: "Clipping",
  band_limit: "Narrow band",
  coding: "Coding artefacts",
  packet_loss: "Dropouts",
  suppression: "Noise suppression artefacts",
  level: "Level changes",
};
// By the place in the list of causes; legible on the timeline and on both grounds of the page.
const CAUSE_COLORS = ["#9678f0", "#2f95d8", "#d65fa8", "#8b96a8"];
const MOST_TIMES = 3;
const PAUSE_S = 1; // without a cause, inside a run

// A name also for kinds of later versions.
export const kindName = (kind) =>
  CAUSE_NAMES[kind] ?? kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll("_", " ");

export const causeColor = (place) => CAUSE_COLORS.at(place) ?? CAUSE_COLORS.at(-1);

// Where each cause is: successive seconds in which it costs most, and its worst stretch if others cost more there.
// [{from, to, kind, place, peak}], in the order of time; `peak` if it has the worst stretch of its kind.
export function causeRuns({ causes, timeline, media }) {
  const runs = [];
  for (const { cause: kind, start_s: from, end_s: to } of timeline) {
    const last = runs.at(-1);
    if (!kind) continue;
    if (last?.kind === kind && from - last.to < PAUSE_S + 0.01) last.to = to;
    else runs.push({ from, to, kind });
  }
  for (const { kind, from_s: from, to_s: to } of causes ?? []) {
    const own = runs.filter((run) => run.kind === kind && run.from < to && run.to > from);
    for (const run of own) run.peak = true;
    if (!own.length && to - from < media.duration_s / 2) runs.push({ from, to, kind, peak: true });
  }
  for (const run of runs) run.place = causes?.findIndex(({ kind }) => kind === run.kind) ?? -1;
  return runs.sort((a, b) => a.from - b.from);
}

// "Reverberation, most of it": how much of the speech, or when, if it is little.
export function causeWords({ kind, share, from_s: worst }, report) {
  const name = kindName(kind);
  if (share >= 0.95) return `${name}, all of it`;
  if (share >= 0.5) return `${name}, most of it`;
  if (share >= 0.2) return `${name}, part of it`;
  const times = causeRuns(report).filter((run) => run.kind === kind);
  if (times.length > MOST_TIMES) return `${name} in ${times.length} places, worst at ${clock(worst)}`;
  return `${name} at ${listed(times.length ? times.map(({ from }) => clock(from)) : [clock(worst)])}`;
}

// The short names of what is wrong: the causes, then the warnings, by their codes.
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
  const causes = (report.causes ?? []).map(({ kind }) => kindName(kind)),
    warnings = report.warnings.map(({ code }) =>
      code in WARNING_NAMES ? WARNING_NAMES[code] : kindName(code),
    );
  return [...new Set([...causes, ...warnings])].filter(Boolean);
}
