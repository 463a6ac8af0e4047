// For screen readers: the result in a few sentences.

import { causeWords } from "./causes.js";

export function spoken({ name, report, error }) {
  if (error) return `${name} could not be scored. ${error.message}`;
  const score = report.score === null ? "no score" : `score ${report.score.toFixed(2)}, ${report.verdict}`;
  const parts = [
    `${name}: ${score}`,
    typeof report.mos === "number" && `MOS of listeners, predicted: ${report.mos.toFixed(1)} of 5`,
    ...(report.causes ?? []).map((cause) => causeWords(cause, report)),
    ...report.warnings.map(({ message }) => message),
  ];
  return parts
    .filter(Boolean)
    .map((each) => each.replace(/\.?$/, "."))
    .join(" ");
}
