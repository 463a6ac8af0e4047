// All results as a table or as JSON. The columns are those of `aqscore score --csv`, and `causes`.

import { kindName } from "./words.js";

const COLUMNS_OF_CSV = [
  "file",
  "score",
  "lower",
  "upper",
  "verdict",
  "causes",
  "worst_score",
  "worst_start_s",
  "duration_s",
  "speech_share",
  "snr_db",
  "level_dbfs",
  "warnings",
  "error",
];

export function csvOf(recordings) {
  const lines = recordings
    .filter((each) => each.report || each.error)
    .map((each) => valuesOf(each).map(cell).join(","));
  return [COLUMNS_OF_CSV.join(","), ...lines, ""].join("\r\n");
}

function valuesOf({ name, report, error }) {
  if (!report) return [name, ...Array(COLUMNS_OF_CSV.length - 2).fill(null), error.message];
  const { signal, worst_segment: worst } = report;
  return [
    name,
    report.score,
    ...(report.interval ?? [null, null]),
    report.verdict,
    report.causes?.map(({ kind }) => kindName(kind)).join("; "),
    worst?.score,
    worst?.start_s,
    report.media.duration_s,
    signal.speech_share,
    signal.snr_db,
    signal.level_dbfs,
    report.warnings.map(({ code }) => code).join(" "),
    null,
  ];
}

// A text that begins like a formula gets an apostrophe: spreadsheets would run it.
function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function jsonOf(recordings) {
  const results = recordings.filter((each) => each.report || each.error);
  return JSON.stringify(
    results.map(
      ({ name, report, error }) => report ?? { schema_version: "1", source: { file: name }, error },
    ),
    null,
    1,
  );
}
