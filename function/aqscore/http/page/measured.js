// What was measured without the network, in words.

import { number, percent } from "./words.js";

const CLIPPED_SHARE = 2e-4,
  NARROW_HZ = 4500,
  DULL_HZ = 7000; // the first two as in aqscore/analysis/warnings.py

// [{name, figure, meaning, fault}]; what is undefined in this recording is left out.
export function measuredRows({ media, signal }) {
  const {
    active_level_dbfs: speechLevel,
    level_dbfs: wholeLevel,
    peak_dbfs: peak,
    snr_db: snr,
    clipped_share: clipped,
    speech_share: speech,
  } = signal;
  const level = speechLevel ?? wholeLevel;
  const row = (name, figure, meaning, fault = false) => ({ name, figure, meaning, fault });
  return [
    row("Speech", percent(speech), speech > 0 ? "of the time" : "none was found", speech === 0),
    isNumber(level) && row("Level", `${number(level)} dBFS`, levelWords(level), level < -45),
    isNumber(peak) && row("Peak", `${number(peak)} dBFS`, ...clippingWords(clipped)),
    isNumber(snr) && row("Background", `${number(snr, 0)} dB below`, backgroundWords(snr), snr < 15),
    media.bandwidth_hz &&
      row("Spectrum", `${number(media.bandwidth_hz / 1000)} kHz`, ...bandWords(media.bandwidth_hz)),
  ].filter(Boolean);
}

const isNumber = (value) => typeof value === "number";

const clippingWords = (share) =>
  share > CLIPPED_SHARE ? [`${percent(share)} clipped`, true] : ["no clipping", false];

function levelWords(level) {
  if (level < -45) return "very quiet";
  if (level < -36) return "quiet";
  return level > -12 ? "very loud" : "usual";
}

function backgroundWords(snr) {
  if (snr < 15) return "loud";
  return snr < 30 ? "audible" : "quiet";
}

function bandWords(hertz) {
  if (hertz < NARROW_HZ) return ["telephone band", true];
  return [hertz < DULL_HZ ? "a little dull" : "wideband", false];
}
