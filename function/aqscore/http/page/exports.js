// All results as a table or as JSON. The columns are those of `aqscore score --csv` without file size, time and
// model, and `causes`, all of them.

const COLUMNS_OF_CSV = [
  "file",
  "score",
  "lower",
  "upper",
  "verdict",
  "worst_score",
  "worst_start_s",
  "duration_s",
  "speech_share",
  "snr_db",
  "level_dbfs",
  "warnings",
  "error",
  "mos",
  "cause",
  "causes",
];

export function csvOf(recordings) {
  const lines = recordings
    .filter((each) => each.report || each.error)
    .map((each) => valuesOf(each).map(cell).join(","));
  return [COLUMNS_OF_CSV.join(","), ...lines, ""].join("\r\n");
}

function valuesOf({ name, report, error }) {
  if (!report) return COLUMNS_OF_CSV.map((each) => ({ file: name, error: error.message })[each]);
  const { signal, worst_segment: worst } = report;
  return [
    name,
    report.score,
    ...(report.interval ?? [null, null]),
    report.verdict,
    worst?.score,
    worst?.start_s,
    report.media.duration_s,
    signal.speech_share,
    signal.snr_db,
    signal.level_dbfs,
    report.warnings.map(({ code }) => code).join(" "),
    null,
    report.mos,
    report.causes?.[0]?.kind,
    report.causes?.map(({ kind }) => kind).join(" "),
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
