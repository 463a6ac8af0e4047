// All recordings as a table, worst first, those without a score and errors last. A click or the arrow keys select
// a row.

import { problemsOf } from "./causes.js";
import { el, svg } from "./dom.js";
import { classOf, placeOf } from "./scale.js";
import { clock } from "./words.js";

const POINTS = 60,
  WIDE = 96,
  TALL = 26;
const STATES = { waiting: "waiting", sending: "sending …", scoring: "scoring …", cancelled: "cancelled" };
const COLUMNS = [
  ["score", "Score", (each) => each.report?.score],
  ["name", "Recording", (each) => each.name.toLowerCase()],
  [null, "Over time"],
  ["cause-column", "Cause", (each) => problemsOf(each)[0]],
  ["length", "Length", (each) => each.report?.media.duration_s],
];

export class RecordingTable {
  #rows = new Map();
  #body = el("tbody");
  #sort = { by: "score", descending: false };
  #filter = () => true;
  #scheduled = false;
  #select;
  #stop = null;
  selected = null;

  constructor(container, select) {
    this.#select = select;
    const heads = COLUMNS.map(([by, text]) =>
      el(
        "th",
        { scope: "col", class: by ?? "line", "aria-sort": by ? "none" : null },
        by ? el("button", { onclick: () => this.#sortBy(by) }, text) : text,
      ),
    );
    this.heads = heads;
    this.element = el(
      "table",
      { role: "grid", "aria-label": "Recordings" },
      el("thead", null, el("tr", null, heads)),
      this.#body,
    );
    container.append(this.element);
    this.empty = el("p", { class: "soft empty", hidden: true }, "No recording matches the filter.");
    container.append(this.empty);
    this.#body.addEventListener("click", (event) => this.#choose(this.#of(event.target)));
    this.#body.addEventListener("keydown", (event) => this.#key(event));
    this.#body.addEventListener("pointerleave", () => this.#arrange());
    this.#markSort();
  }

  #of(target) {
    return this.#rows.get(target.closest("tr"))?.recording;
  }

  // Adds a recording, or shows its new state.
  update(recording) {
    if (!recording.row) {
      recording.row = el("tr", { tabindex: -1, "aria-selected": "false" });
      this.#rows.set(recording.row, { recording, state: null });
    }
    const entry = this.#rows.get(recording.row);
    if (entry.state === recording.state) return;
    entry.state = recording.state;
    recording.row.replaceChildren(...cells(recording));
    this.#schedule();
  }

  select(recording, focus = false) {
    this.selected?.row.setAttribute("aria-selected", "false");
    this.selected = recording;
    recording.row.setAttribute("aria-selected", "true");
    this.#roving();
    if (focus) recording.row.focus();
  }

  setFilter(admits) {
    this.#filter = admits;
    this.#arrange();
  }

  // The recordings in the order shown, without those that the filter leaves out.
  get order() {
    const [, , value] = COLUMNS.find(([by]) => by === this.#sort.by),
      sign = this.#sort.descending ? -1 : 1;
    const all = [...this.#rows.values()].map(({ recording }) => recording).filter(this.#filter);
    const rank = (each) => (each.error ? 2 : each.report?.score === null ? 1 : each.report ? 0 : 3);
    const blank = (each) => value(each) === undefined || value(each) === null;
    return all.sort(
      (a, b) =>
        (this.#sort.by !== "name" && rank(a) - rank(b)) ||
        blank(a) - blank(b) ||
        sign * (value(a) > value(b) ? 1 : value(a) < value(b) ? -1 : 0) ||
        (a.name < b.name ? -1 : 1),
    );
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#arrange();
    });
  }

  // Rows keep their places under the pointer: new ones are added at the end until it leaves.
  #arrange() {
    const order = this.order,
      focused = document.activeElement?.closest("tr");
    if (this.#body.matches(":hover") && this.#body.children.length && !focused)
      this.#body.append(...order.filter(({ row }) => !row.isConnected).map(({ row }) => row));
    else this.#place(order);
    if (focused?.isConnected && this.#body.contains(focused)) focused.focus({ preventScroll: true });
    this.empty.hidden = order.length > 0;
    this.#roving();
  }

  // Moves only the rows that are out of place: a layout of all rows costs too much for each result.
  #place(order) {
    const shown = new Set(order.map(({ row }) => row));
    for (const row of [...this.#body.children]) if (!shown.has(row)) row.remove();
    let next = this.#body.firstElementChild;
    for (const { row } of order) {
      if (row === next) next = next.nextElementSibling;
      else this.#body.insertBefore(row, next);
    }
  }

  // One row can be reached with the tab key, the others from it with the arrow keys.
  #roving() {
    const stop = this.selected?.row.isConnected ? this.selected.row : this.#body.firstElementChild;
    if (stop === this.#stop) return;
    if (this.#stop) this.#stop.tabIndex = -1;
    this.#stop = stop;
    if (stop) stop.tabIndex = 0;
  }

  #choose(recording, focus = false) {
    if (!recording) return;
    this.select(recording, focus);
    this.#select(recording);
  }

  #key(event) {
    const order = this.order,
      at = order.indexOf(this.#of(event.target)),
      last = order.length - 1;
    const next = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + 10,
      PageUp: at - 10,
      Home: 0,
      End: last,
      Enter: at,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.#choose(order[Math.max(0, Math.min(last, next))], true);
  }

  #sortBy(by) {
    this.#sort = { by, descending: this.#sort.by === by && !this.#sort.descending };
    this.#markSort();
    this.#place(this.order);
  }

  #markSort() {
    COLUMNS.forEach(
      ([by], i) =>
        by &&
        this.heads[i].setAttribute(
          "aria-sort",
          by !== this.#sort.by ? "none" : this.#sort.descending ? "descending" : "ascending",
        ),
    );
  }
}

function cells(recording) {
  const { report, error, state } = recording,
    scored = typeof report?.score === "number";
  const name = recording.shortName ?? recording.name,
    slash = name.lastIndexOf("/"),
    folder = slash > 0 ? name.slice(0, slash) : null;
  const [main, ...others] = state === "done" ? problemsOf(recording) : [];
  const problems = main && el("span", { class: "problems" }, [main, ...others].join(", "), folder && " · ");
  const verdict = scored ? report.verdict : error ? "error" : report ? "no score" : STATES[state];
  return [
    el(
      "td",
      { class: `rating ${scored ? report.verdict : error ? "bad" : ""}` },
      el("b", null, scored ? report.score.toFixed(2) : "–"),
      el("span", null, verdict),
    ),
    el(
      "td",
      { class: "recording" },
      el("span", { class: "file", title: recording.name }, name.slice(slash + 1)),
      (problems || error || folder) &&
        el("span", { class: "why" }, problems, error?.message, error && folder && " · ", folder),
    ),
    el("td", { class: "line" }, report?.timeline?.length ? sparkline(report.timeline) : null),
    el("td", { class: "cause-column" }, main, others.length > 0 && el("span", { class: "why" }, others.join(", "))),
    el("td", { class: "number length" }, report ? clock(report.media.duration_s) : ""),
  ];
}

// The scores by the second; in long recordings the lowest of each stretch, so that short faults show.
function sparkline(timeline) {
  const size = Math.max(1, timeline.length / POINTS),
    scores = [];
  for (let i = 0; i < Math.min(POINTS, timeline.length); i++) {
    scores.push(
      Math.min(
        ...timeline
          .slice(Math.floor(i * size), Math.max(Math.floor(i * size) + 1, Math.floor((i + 1) * size)))
          .map((each) => each.score),
      ),
    );
  }
  const step = WIDE / scores.length,
    low = Math.min(...scores);
  const y = (score) => (TALL - 2 - placeOf(score) * (TALL - 4)).toFixed(1);
  const path = scores
    .map((score, i) => `${i ? "L" : "M"}${(i * step).toFixed(1)} ${y(score)}H${((i + 1) * step).toFixed(1)}`)
    .join("");
  const at = scores.indexOf(low);
  return svg(
    "svg",
    { class: "sparkline", viewBox: `0 0 ${WIDE} ${TALL}`, width: WIDE, height: TALL, "aria-hidden": "true" },
    svg("path", { d: path }),
    svg("circle", { cx: ((at + 0.5) * step).toFixed(1), cy: y(low), r: 2.5, fill: classOf(low).color }),
  );
}
