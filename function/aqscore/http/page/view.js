// The visible part of a recording: zoom and scroll, in seconds.

const LEAST_S = 0.2;

export class View {
  constructor(duration) {
    this.duration = Math.max(duration, 0.001);
    this.fit();
  }

  get span() {
    return this.to - this.from;
  }
  get zoomed() {
    return this.span < this.duration * 0.999;
  }

  fit() {
    this.#set(0, this.duration);
  }

  // A factor under 1 shows less. What lies at `around` stays where it is.
  zoom(factor, around) {
    const span = Math.min(this.duration, Math.max(Math.min(LEAST_S, this.duration), this.span * factor));
    this.#set(around - ((around - this.from) / this.span) * span, span);
  }

  pan(seconds) {
    this.#set(this.from + seconds, this.span);
  }

  // Turns the page to a time outside.
  reveal(seconds) {
    if (seconds < this.from || seconds > this.to) this.#set(seconds - this.span * 0.1, this.span);
  }

  #set(from, span) {
    this.from = Math.max(0, Math.min(from, this.duration - span));
    this.to = this.from + span;
  }
}
