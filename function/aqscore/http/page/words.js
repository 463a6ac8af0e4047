// A report in words: numbers for people, causes, measured properties.

const MINUS = "\u2212";

export const number = (value, digits = 1) => value.toFixed(digits).replace("-", MINUS);

export const percent = (share) => (share > 0 && share < 0.01 ? `${number(share * 100, 2)} %` : `${Math.round(share * 100)} %`);

export const count = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

// 3725.4 s is 1:02:05; with one digit, 65.42 s is 1:05.4.
export function clock(seconds, digits = 0) {
  const unit = 10 ** digits, whole = Math.round(seconds * unit) / unit;
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  const rest = (whole % 60).toFixed(digits).padStart(digits ? 3 + digits : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

const KINDS = {
  noise: "Noise", reverberation: "Reverberation", reverb: "Reverberation", clipping: "Clipping",
  band_limit: "Missing high frequencies", bandlimit: "Missing high frequencies", coding: "Low bit rate",
  packet_loss: "Lost packets", dropout: "Dropouts", suppression: "Noise suppression", level: "Changing level",
};

export const kindName = (kind) => KINDS[kind] ?? kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll("_", " ");

// "Reverberation, most of it": how much of the time, or when, if it is little.
export function causeWords(cause, report) {
  const name = kindName(cause.kind), { share } = cause;
  if (share >= 0.95) return `${name}, all of it`;
  if (share >= 0.5) return `${name}, most of it`;
  if (share >= 0.2) return `${name}, part of it`;
  const times = startsOf(cause, report).slice(0, 3).map((at) => clock(at));
  return times.length ? `${name} at ${times.join(", ").replace(/, ([^,]*)$/, " and $1")}` : name;
}

// The beginnings of the stretches of a cause, in seconds; the worst stretch's if the timeline names no causes.
function startsOf(cause, report) {
  const found = report.timeline.filter((each, i, all) => each.cause === cause.kind && all[i - 1]?.cause !== cause.kind);
  if (found.length) return found.map((each) => each.start_s);
  return cause.from_s === undefined || cause.from_s === null ? [] : [cause.from_s];
}

// The short names of what is wrong: causes, or the codes of warnings where the model names no causes.
const WARNING_NAMES = {
  no_speech: "No speech", too_short: "Too short", clipped: "Clipping", narrow_band: "Narrow band", truncated: "Incomplete file",
  low_level: "Very quiet", thinned: null,
};

export function problemsOf({ report, error }) {
  if (error) return ["Error"];
  if (!report) return [];
  if (report.causes?.length) return report.causes.map((cause) => kindName(cause.kind));
  return report.warnings.map(({ code }) => (code in WARNING_NAMES ? WARNING_NAMES[code] : kindName(code))).filter(Boolean);
}

export function mediaWords({ media }) {
  const channels = { 1: "mono", 2: "stereo" }[media.channels] ?? `${media.channels} channels`;
  const format = media.container === media.codec ? media.container : `${media.container} ${media.codec.replaceAll("_", " ")}`;
  return [clock(media.duration_s, media.duration_s < 60 ? 1 : 0), format, `${number(media.sample_rate_hz / 1000, 3).replace(/\.?0+$/, "")} kHz`, channels];
}

// What was measured without the network: [name, figure, meaning, whether it is a fault].
export function measuredRows({ media, signal }) {
  const rows = [];
  const { level_dbfs: level, peak_dbfs: peak, snr_db: snr, clipped_share: clipped, speech_share: speech } = signal;
  rows.push(["Speech", percent(speech), speech > 0.5 ? "of the time" : speech > 0 ? "of the time, the rest is pauses" : "none was found", speech === 0]);
  if (level !== null && level !== undefined) {
    const low = level < -45;
    rows.push(["Level", `${number(level)} dBFS`, low ? "very quiet" : level < -36 ? "quiet" : level > -12 ? "very loud" : "usual", low]);
  }
  if (peak !== null && peak !== undefined) rows.push(["Peak", `${number(peak)} dBFS`, clipped > 2e-4 ? `${percent(clipped)} of the samples are clipped` : "no clipping", clipped > 2e-4]);
  if (snr !== null && snr !== undefined) {
    const loud = snr < 15;
    rows.push(["Pauses", `${number(snr, 0)} dB`, loud ? "under the speech: loud background" : snr < 30 ? "under the speech: audible background" : "under the speech: quiet background", loud]);
  }
  if (media.bandwidth_hz) {
    const narrow = media.bandwidth_hz < 4500;
    rows.push(["Spectrum", `${number(media.bandwidth_hz / 1000)} kHz`, narrow ? "as on the telephone" : media.bandwidth_hz < 7000 ? "a little dull" : "wideband", narrow]);
  }
  return rows;
}

export function intervalWords(report) {
  return report.interval ? `Nine times out of ten between ${report.interval[0].toFixed(2)} and ${report.interval[1].toFixed(2)}.` : "";
}

// For screen readers: the result in one sentence or two.
export function spoken({ name, report, error }) {
  if (error) return `${name} could not be scored. ${error.message}`;
  const score = report.score === null ? "no score" : `score ${report.score.toFixed(2)}, ${report.verdict}`;
  const why = report.causes?.length ? report.causes.map((cause) => causeWords(cause, report)) : report.warnings.map((each) => each.message);
  return [`${name}: ${score}.`, ...why.map((each) => each.replace(/\.?$/, "."))].join(" ");
}
