// The cards of a recording: its score, what is wrong with it, and errors.

import { el } from "./dom.js";
import { scaleBar, shareBar } from "./scalebar.js";
import { measuredRows } from "./measured.js";
import { causeWords, clock, intervalWords, whereWords } from "./words.js";

export function scoreCard(report) {
  const mos = typeof report.mos === "number" ? { value: report.mos } : report.mos;
  return el(
    "section",
    { class: "card score-card", "aria-label": "Score" },
    el(
      "div",
      { class: "score-row" },
      el(
        "p",
        { class: `score ${report.verdict ?? "none"}` },
        el("output", null, report.score === null ? "No score" : report.score.toFixed(2)),
        report.verdict && el("span", { class: "verdict" }, report.verdict),
      ),
      mos &&
        el(
          "p",
          { class: "mos" },
          el("b", null, `${mos.value.toFixed(1)} of 5`),
          el(
            "span",
            null,
            mos.interval
              ? `estimate of listeners, ${mos.interval[0].toFixed(1)} to ${mos.interval[1].toFixed(1)}`
              : "estimate of listeners",
          ),
        ),
    ),
    scaleBar(report),
    report.interval && el("p", { class: "soft" }, intervalWords(report)),
    report.distribution && shareBar(report.distribution),
  );
}

// Where it is weak, and the causes; where the report names none, what was measured. `play(from, to)` is null
// without sound.
export function findingsCard(report, play) {
  const where = whereWords(report),
    { causes } = report;
  return el(
    "section",
    { class: "card findings", "aria-label": "Findings" },
    where && el("p", { class: "where" }, where),
    causes?.length > 0 && el("h3", null, "Causes", el("span", null, "severity and worst moment")),
    causes?.length > 0 &&
      el(
        "ul",
        { class: "causes" },
        causes.map((cause) => causeItem(cause, report, play)),
      ),
    causes?.length === 0 && el("p", null, "No cause of damage was found."),
    !causes && el("h3", null, "Measured"),
    !causes && measuredList(report),
  );
}

function causeItem(cause, report, play) {
  const at = typeof cause.from_s === "number" && clock(cause.from_s);
  return el(
    "li",
    { class: "cause" },
    el("span", null, `${causeWords(cause, report)}.`),
    typeof cause.severity === "number" &&
      el("span", {
        class: "severity",
        role: "img",
        "aria-label": `severity ${Math.round(cause.severity * 100)} %`,
        style: { "--share": Math.min(1, cause.severity) },
      }),
    at &&
      (play
        ? el(
            "button",
            {
              class: "link",
              onclick: () => play(cause.from_s, cause.to_s),
              "aria-label": `Play its worst moment, at ${at}`,
            },
            `▶ ${at}`,
          )
        : el("span", { class: "soft" }, at)),
  );
}

export function measuredList(report) {
  return el(
    "dl",
    { class: "measured" },
    measuredRows(report).map(({ name, figure, meaning, fault }) =>
      el(
        "div",
        { class: fault && "fault" },
        el("dt", null, name),
        el("dd", null, el("b", null, figure), el("span", null, meaning)),
      ),
    ),
  );
}

export function warningList(report) {
  return report.warnings.length
    ? el(
        "ul",
        { class: "warnings" },
        report.warnings.map(({ message }) => el("li", null, message)),
      )
    : null;
}

export function errorCard({ error }, retry) {
  return el(
    "section",
    { class: "card error-card", "aria-label": "Error" },
    el("p", null, el("b", null, "Not scored. "), error.message),
    error.advice && el("p", { class: "soft" }, error.advice),
    retry && el("button", { onclick: retry }, "Try again"),
  );
}

const WAITING = {
  waiting: "Waits for its turn.",
  sending: "Sending …",
  scoring: "Scoring …",
  cancelled: "Cancelled.",
};

export function pendingCard({ state, progress }, retry) {
  return el(
    "section",
    { class: "card pending", "aria-label": "Progress" },
    el("p", null, WAITING[state]),
    state === "sending" && el("progress", { max: 1, value: progress, "aria-label": "Upload" }),
    state === "cancelled" && retry && el("button", { onclick: retry }, "Score it"),
  );
}
