// The timeline: one canvas with a panel for each channel, and an overview of long recordings below it.
//
// Events: "seek" (detail: seconds), after a click. Keys are handled by the detail, for the whole page.

import { el } from "./dom.js";
import { drawn, onto } from "./bitmap.js";
import { kindName } from "./causes.js";
import { EDGE, paint, paintCursor, panelArea } from "./paint.js";
import { classOf } from "./scale.js";
import { spectrogram } from "./spectrogram.js";
import { scoreAt } from "./stretches.js";
import { clock } from "./words.js";
import { View } from "./view.js";

const LONG_S = 60; // from here on the overview is always there
const DRAG_PX = 4,
  MARKS_PX = 10; // height of the marks above the overview

export class Timeline extends EventTarget {
  #panels;
  #stretches;
  #pointers = new Map();
  #moved = false;
  #hover = null;
  #base = null;
  #timer = null;
  #frame = null;
  #overviewBase = null;
  mode = "spectrogram";
  now = 0;

  constructor(report, panels, stretches) {
    super();
    this.#panels = panels;
    this.#stretches = stretches;
    this.view = new View(report.media.duration_s);
    this.canvas = el("canvas", {
      class: "timeline",
      tabindex: 0,
      role: "slider",
      "aria-label": "Position in the recording",
      "aria-valuemin": 0,
      "aria-valuemax": report.media.duration_s.toFixed(1),
      "aria-describedby": "timeline-keys",
    });
    this.canvas.style.height = `${panels.length > 1 ? 44 + 150 * panels.length : 300}px`;
    this.overview = el("canvas", { class: "overview", "aria-hidden": "true" });
    this.tip = el("div", { class: "tip", hidden: true });
    this.element = el("div", { class: "plot" }, this.canvas, this.tip, this.overview);
    this.#listen();
    this.#resized = new ResizeObserver(() => this.#refresh());
    this.#resized.observe(this.canvas);
    this.moveTo(0);
  }

  #resized;

  close() {
    this.#resized.disconnect();
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
  }

  // Gives each panel its samples, from the decoded sound.
  setSamples(samplesOf) {
    for (const panel of this.#panels) panel.samples = samplesOf(panel);
    this.#refresh();
  }

  setMode(mode) {
    this.mode = mode;
    this.#refresh();
  }

  // Moves the playhead.
  moveTo(seconds, follow = false) {
    this.now = seconds;
    this.canvas.setAttribute("aria-valuenow", seconds.toFixed(1));
    this.canvas.setAttribute("aria-valuetext", this.#wordsAt(seconds));
    const { from } = this.view;
    if (follow) this.view.reveal(seconds);
    if (from === this.view.from) this.#draw();
    else this.#refresh();
  }

  zoom(
    factor,
    around = this.now >= this.view.from && this.now <= this.view.to
      ? this.now
      : (this.view.from + this.view.to) / 2,
  ) {
    this.view.zoom(factor, around);
    this.#refresh();
  }

  fit() {
    this.view.fit();
    this.#refresh();
  }

  // ---- Drawing: what is still is kept as a bitmap, so that the playhead moves cheaply

  #size() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    return { width, height };
  }

  // Draws anew after a change of view. Pictures of the sound follow when the view rests.
  #refresh() {
    this.#base = null;
    this.overview.hidden = !(this.view.zoomed || this.view.duration > LONG_S);
    this.dispatchEvent(new Event("view"));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#takePictures(),
      this.#panels.some((panel) => panel.picture) ? 60 : 0,
    );
    this.#draw();
  }

  #takePictures() {
    const { width, height } = this.#size(),
      area = panelArea(width, height, this.#panels.length, 0);
    if (this.mode !== "spectrogram" || !width) return;
    const { from, to } = this.view,
      columns = Math.round(area.width * Math.min(devicePixelRatio || 1, 2));
    for (const panel of this.#panels) {
      const old = panel.picture;
      if (!panel.samples || (old && old.from === from && old.to === to && old.canvas.width === columns))
        continue;
      panel.picture = { from, to, canvas: spectrogram(panel.samples.values, from, to, columns) };
    }
    this.#base = null;
    this.#draw();
  }

  #draw() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#drawNow();
    });
  }

  #drawNow() {
    const { width, height } = this.#size();
    if (!width) return;
    const scene = { view: this.view, panels: this.#panels, stretches: this.#stretches, mode: this.mode };
    this.#base ??= drawn(width, height, (pen) => paint(pen, width, height, scene));
    const pen = onto(this.canvas, width, height, this.#base);
    paintCursor(pen, width, height, this.view, this.#hover, "rgba(255,255,255,.45)");
    paintCursor(pen, width, height, this.view, this.now, "#fff");
    if (!this.overview.hidden) this.#drawOverview();
  }

  #drawOverview() {
    const width = this.overview.clientWidth,
      height = this.overview.clientHeight,
      { duration, from, to } = this.view;
    if (this.#overviewBase?.width !== Math.round(width * (devicePixelRatio || 1))) {
      const scene = {
        view: { from: 0, to: duration },
        panels: this.#panels.slice(0, 1).map(({ curve }) => ({ curve })),
        stretches: this.#stretches.map((each) => ({ ...each, label: "" })),
      };
      // The plot without its axes: they are cut off by the offset.
      const tall = height + EDGE.top + EDGE.bottom - MARKS_PX;
      this.#overviewBase = drawn(width, height, (pen) => {
        pen.translate(0, MARKS_PX - EDGE.top);
        paint(pen, width, tall, scene);
        pen.clearRect(0, 0, EDGE.left, tall);
        pen.clearRect(width - EDGE.right, 0, EDGE.right, tall);
      });
    }
    const pen = onto(this.overview, width, height, this.#overviewBase),
      wide = width - EDGE.left - EDGE.right;
    const left = EDGE.left + (from / duration) * wide,
      right = EDGE.left + (to / duration) * wide;
    pen.fillStyle = "rgba(10,13,20,.7)";
    pen.fillRect(EDGE.left, 0, left - EDGE.left, height);
    pen.fillRect(right, 0, EDGE.left + wide - right, height);
    pen.strokeStyle = "rgba(255,255,255,.8)";
    pen.strokeRect(left + 0.5, 0.5, Math.max(3, right - left) - 1, height - 1);
    pen.fillStyle = "#fff";
    pen.fillRect(EDGE.left + (this.now / duration) * wide - 0.5, 0, 1, height);
  }

  // ---- Mouse, touch and wheel

  #secondsAt(event) {
    const box = this.canvas.getBoundingClientRect(),
      wide = box.width - EDGE.left - EDGE.right;
    const seconds = this.view.from + ((event.clientX - box.left - EDGE.left) / wide) * this.view.span;
    return Math.max(this.view.from, Math.min(this.view.to, seconds));
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener(
      "wheel",
      (event) => {
        const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
        if (event.ctrlKey || event.metaKey) this.zoom(1.003 ** event.deltaY, this.#secondsAt(event));
        else if (
          this.view.zoomed &&
          Math.abs(sideways) > 0 &&
          (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
        )
          this.#pan((sideways / canvas.clientWidth) * this.view.span);
        else return; // the page scrolls
        event.preventDefault();
      },
      { passive: false },
    );
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      if (!this.#pointers.size) this.#moved = false;
      this.#pointers.set(event.pointerId, event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.#pointers.has(event.pointerId)) this.#drag(event);
      this.#point(this.#secondsAt(event));
    });
    canvas.addEventListener("pointerup", (event) => {
      if (!this.#moved && this.#pointers.size === 1)
        this.dispatchEvent(new CustomEvent("seek", { detail: this.#secondsAt(event) }));
      this.#pointers.delete(event.pointerId);
    });
    canvas.addEventListener("pointercancel", (event) => this.#pointers.delete(event.pointerId));
    canvas.addEventListener("pointerleave", () => this.#point(null));
    canvas.addEventListener("dblclick", (event) => this.zoom(0.4, this.#secondsAt(event)));
    const slide = (event) => {
      if (!event.buttons) return;
      const box = this.overview.getBoundingClientRect();
      const seconds =
        ((event.clientX - box.left - EDGE.left) / (box.width - EDGE.left - EDGE.right)) * this.view.duration;
      this.#pan(seconds - (this.view.from + this.view.to) / 2);
    };
    this.overview.addEventListener("pointerdown", (event) => {
      this.overview.setPointerCapture(event.pointerId);
      slide(event);
    });
    this.overview.addEventListener("pointermove", slide);
  }

  #pan(seconds) {
    this.view.pan(seconds);
    this.#refresh();
  }

  // One finger or the mouse moves the part in view, two fingers also change its length.
  #drag(event) {
    const before = [...this.#pointers.values()],
      old = this.#pointers.get(event.pointerId);
    if (!this.#moved && Math.abs(event.clientX - old.clientX) < DRAG_PX) return;
    this.#moved = true;
    if (before.length === 1 && this.view.zoomed)
      this.#pan(((old.clientX - event.clientX) / this.canvas.clientWidth) * this.view.span);
    if (before.length === 2) {
      const other = before.find((each) => each.pointerId !== event.pointerId);
      const apart = (each) => Math.max(10, Math.abs(each.clientX - other.clientX));
      this.zoom(apart(old) / apart(event), this.#secondsAt(other));
    }
    this.#pointers.set(event.pointerId, event);
  }

  #point(seconds) {
    this.#hover = seconds;
    this.tip.hidden = seconds === null;
    if (seconds !== null) {
      this.tip.textContent = this.#wordsAt(seconds, 2);
      const share = (seconds - this.view.from) / this.view.span,
        wide = this.canvas.clientWidth - EDGE.left - EDGE.right;
      this.tip.style.left = `${EDGE.left + share * wide}px`;
      this.tip.classList.toggle("left", share > 0.5);
    }
    this.#draw();
  }

  #wordsAt(seconds, digits = 1) {
    const words = [clock(seconds, digits)];
    for (const { name, curve, timeline } of this.#panels) {
      const score = scoreAt(curve, seconds);
      if (score === null) continue;
      const { cause } = timeline.findLast((each) => each.start_s <= seconds) ?? {},
        why = cause ? `, ${kindName(cause).toLowerCase()}` : "";
      words.push(`${name ? `${name}: ` : ""}${score.toFixed(2)} ${classOf(score).name}${why}`);
    }
    return words.join(" · ");
  }
}
