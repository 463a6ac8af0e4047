// The set of recordings: counts, histogram, median, filters, downloads.

import { problemsOf } from "./causes.js";
import { download, el } from "./dom.js";
import { csvOf, jsonOf } from "./exports.js";
import { CLASSES, HIGHEST, LOWEST, classOf, placeOf } from "./scale.js";
import { count } from "./words.js";

const BARS = 24,
  FREQUENT = 6;

// Of sorted numbers, null without any.
const median = (sorted) =>
  sorted.length ? (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2 : null;

export class Summary {
  #recordings;
  #filtered;
  #verdict = null;
  #frequent = el("div", { class: "frequent", role: "group", "aria-label": "Most frequent causes" });
  #frame = null;
  #bars = el("div", { class: "bars", role: "img" });
  #figures = el("p", { class: "figures" });
  #chips = CLASSES.map(({ name }) =>
    el("button", { class: `chip ${name}`, "aria-pressed": "false", onclick: () => this.#choose(name) }),
  );
  #name = el("input", {
    type: "search",
    placeholder: "Filter by name",
    "aria-label": "Filter by name",
    oninput: () => this.#tell(),
  });
  #problem = el(
    "select",
    { "aria-label": "Filter by cause", onchange: () => this.#tell() },
    el("option", { value: "" }, "Any cause"),
  );

  // `filtered` is called with a function that tells whether a recording passes. No `retry` without a server.
  constructor(container, recordings, filtered, retry = null) {
    this.#recordings = recordings;
    this.#filtered = filtered;
    this.retry = el("button", { class: "retry", onclick: retry, hidden: true }, "Try the failed ones again");
    const stamp = () => new Date().toISOString().slice(0, 10);
    container.append(
      el(
        "div",
        { class: "distribution" },
        this.#bars,
        el("div", { class: "chips", role: "group", "aria-label": "Filter by verdict" }, this.#chips),
      ),
      el(
        "div",
        { class: "controls" },
        el("div", { class: "top" }, this.#figures, this.retry),
        this.#frequent,
        el(
          "div",
          { class: "filters" },
          this.#name,
          this.#problem,
          el(
            "button",
            { onclick: () => download(`aqscore-${stamp()}.csv`, csvOf(recordings), "text/csv") },
            "CSV",
          ),
          el(
            "button",
            { onclick: () => download(`aqscore-${stamp()}.json`, jsonOf(recordings), "application/json") },
            "JSON",
          ),
        ),
      ),
    );
  }

  // Counts again, once before the next picture however often it is called.
  update() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#updateNow();
    });
  }

  #updateNow() {
    const [scores, opinions] = ["score", "mos"].map((field) =>
      this.#recordings
        .map((each) => each.report?.[field])
        .filter((value) => typeof value === "number")
        .sort((a, b) => a - b),
    );
    const failed = this.#recordings.filter((each) => each.error).length;
    const blank = this.#recordings.filter((each) => each.report?.score === null).length;
    const middle = median(scores),
      opinion = median(opinions);
    this.#figures.replaceChildren(
      ...[
        el("span", null, el("b", null, scores.length.toLocaleString("en")), " scored"),
        middle !== null && el("span", null, "median ", el("b", null, middle.toFixed(2))),
        opinion !== null && el("span", null, "median MOS ", el("b", null, opinion.toFixed(1))),
        blank > 0 && el("span", null, el("b", null, blank), " without a score"),
        failed > 0 && el("span", { class: "bad" }, el("b", null, failed), " failed"),
      ].filter(Boolean),
    );
    this.#drawBars(scores, middle);
    CLASSES.forEach(({ name }, i) =>
      this.#chips[i].replaceChildren(
        el("b", null, scores.filter((score) => classOf(score).name === name).length),
        ` ${name}`,
      ),
    );
    this.#offerProblems();
  }

  #drawBars(scores, middle) {
    const bins = Array(BARS).fill(0);
    for (const score of scores) bins[Math.min(BARS - 1, Math.floor(placeOf(score) * BARS))] += 1;
    const most = Math.max(...bins, 1),
      width = (HIGHEST - LOWEST) / BARS;
    this.#bars.setAttribute(
      "aria-label",
      [`Histogram of ${count(scores.length, "score")}`, middle && `median ${middle.toFixed(2)}`]
        .filter(Boolean)
        .join(", "),
    );
    this.#bars.replaceChildren(
      ...bins.map((n, i) =>
        el("i", {
          class: n ? "bar" : "bar none",
          title: `${(LOWEST + i * width).toFixed(2)} to ${(LOWEST + (i + 1) * width).toFixed(2)}: ${n}`,
          style: { height: `${(100 * n) / most}%`, background: classOf(LOWEST + (i + 0.5) * width).color },
        }),
      ),
      middle === null ? "" : el("span", { class: "median", style: { left: `${placeOf(middle) * 100}%` } }),
    );
  }

  #offerProblems() {
    const counts = new Map();
    for (const each of this.#recordings)
      for (const problem of problemsOf(each)) counts.set(problem, (counts.get(problem) ?? 0) + 1);
    const chosen = this.#problem.value,
      options = [...counts].sort((a, b) => b[1] - a[1]);
    this.#problem.replaceChildren(
      el("option", { value: "" }, "Any cause"),
      ...options.map(([problem, n]) => el("option", { value: problem }, `${problem} (${n})`)),
    );
    this.#problem.value = counts.has(chosen) ? chosen : "";
    this.#problem.disabled = counts.size === 0;
    this.#frequent.replaceChildren(
      ...options
        .slice(0, FREQUENT)
        .map(([problem, n]) =>
          el("button", { class: "link", onclick: () => this.#chooseProblem(problem) }, `${problem} ${n}`),
        ),
    );
  }

  #chooseProblem(problem) {
    this.#problem.value = this.#problem.value === problem ? "" : problem;
    this.#tell();
  }

  #choose(name) {
    this.#verdict = this.#verdict === name ? null : name;
    CLASSES.forEach((each, i) =>
      this.#chips[i].setAttribute("aria-pressed", String(each.name === this.#verdict)),
    );
    this.#tell();
  }

  #tell() {
    const name = this.#name.value.trim().toLowerCase(),
      problem = this.#problem.value,
      verdict = this.#verdict;
    this.#filtered(
      (each) =>
        each.name.toLowerCase().includes(name) &&
        (!verdict || each.report?.verdict === verdict) &&
        (!problem || problemsOf(each).includes(problem)),
    );
  }
}
