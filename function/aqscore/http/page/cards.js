// The cards of a recording: its score, what is wrong with it, and errors.

import { causeColor, causeWords, kindName } from "./causes.js";
import { el } from "./dom.js";
import { CLASSES } from "./scale.js";
import { scaleBar, shareBar } from "./scalebar.js";
import { measuredRows } from "./measured.js";
import { clock, intervalWords, number, percent, whereWords } from "./words.js";

const MOST_CAUSES = 4; // in full
const GOOD = CLASSES.find(({ name }) => name === "good").from;

export function scoreCard(report) {
  const { mos, mos_interval: range } = report;
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
      typeof mos === "number" &&
        el(
          "p",
          { class: "mos" },
          el("b", null, `${mos.toFixed(1)} of 5`),
          el(
            "span",
            null,
            `MOS of listeners, predicted${range ? `: ${range[0].toFixed(1)} to ${range[1].toFixed(1)}` : ""}`,
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
    causes?.length > 0 && el("h3", null, "Causes", el("span", null, "share of speech, points lost to it alone")),
    causes?.length > 0 &&
      el(
        "ul",
        { class: "causes" },
        causes.slice(0, MOST_CAUSES).map((cause, place) => causeItem(cause, place, report, play)),
        causes.length > MOST_CAUSES && el("li", { class: "soft" }, restWords(causes.slice(MOST_CAUSES))),
      ),
    causes?.length === 0 && el("p", null, noCauseWords(report)),
    !causes && el("h3", null, "Measured"),
    !causes && measuredList(report),
  );
}

function causeItem(cause, place, report, play) {
  const at = clock(cause.from_s),
    cost = number(-cause.severity);
  return el(
    "li",
    { class: "cause" },
    el("i", { style: { background: causeColor(place) } }),
    el("b", null, `${causeWords(cause, report)}.`),
    el("span", { class: "soft" }, percent(cause.share)),
    el("span", { class: "soft", title: `Alone it would cost ${number(cause.severity)} points there` }, cost),
    play
      ? el(
          "button",
          {
            class: "link",
            onclick: () => play(cause.from_s, cause.to_s),
            "aria-label": `Play its worst moment, at ${at}`,
          },
          `▶ ${at}`,
        )
      : el("span", { class: "soft" }, at),
  );
}

const restWords = (causes) => `Less: ${causes.map(({ kind }) => kindName(kind).toLowerCase()).join(", ")}.`;

const noCauseWords = ({ score }) => (score < GOOD ? "The model names no cause." : "No damage was found.");

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
