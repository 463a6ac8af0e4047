// One recording: score, findings, timeline, sound.

import { errorCard, findingsCard, measuredList, pendingCard, scoreCard, warningList } from "./cards.js";
import { kindName } from "./causes.js";
import { download, el } from "./dom.js";
import { Player } from "./player.js";
import { decode } from "./sound.js";
import { curveOf, stretchesOf } from "./stretches.js";
import { Timeline } from "./timeline.js";
import { transport } from "./transport.js";
import { mediaWords, scoreWords } from "./words.js";

const MOST_SAMPLES = 120e6; // decoded without being asked: 40 minutes at 48 kHz
const KEEP_DECODED = 3,
  SLOW_S = 300;
const MOVE_KEYS = "← → move by a second, Home and End to the ends, + and − zoom";
const KEYS = { silent: `${MOVE_KEYS}, Esc shows the whole.`, sound: `Space plays, ${MOVE_KEYS}, Esc stops.` };

const mainCause = ({ causes }) => causes?.length && kindName(causes[0].kind).toLowerCase();

export class Detail {
  #container;
  #actions;
  #player = new Player();
  #timeline = null;
  #transport = null;
  #decoded = new Map();
  #state = null;
  recording = null;

  // `actions`: retry(recording) and splitChannels(recording), each null where there is no server.
  constructor(container, actions = {}) {
    this.#container = container;
    this.#actions = actions;
    this.#player.addEventListener("time", () => {
      this.#timeline?.moveTo(this.#player.now, this.#player.playing);
      this.#transport?.update();
    });
    this.#player.addEventListener("state", () => this.#told());
  }

  // Shows a recording, or shows it anew when its state has changed.
  show(recording) {
    const same = recording === this.recording && recording.state === this.#state;
    if (same && recording.state !== "sending") return;
    this.recording = recording;
    this.#state = recording.state;
    this.#timeline?.close();
    this.#timeline = this.#transport = null;
    this.#container.hidden = false;
    if (recording.report && recording.state === "done") this.#showReport(recording);
    else {
      this.#player.load(null);
      const { retry } = this.#actions,
        again = retry && (() => retry(recording));
      this.#container.replaceChildren(
        this.#heading(recording),
        recording.error ? errorCard(recording, again) : pendingCard(recording, again),
      );
    }
  }

  #heading({ name, shortName, report, state }) {
    const { splitChannels } = this.#actions,
      scored = report && state === "done";
    const facts = scored ? mediaWords(report).map((each) => el("span", null, each)) : [];
    return el(
      "header",
      { class: "heading" },
      el("h2", { title: name }, shortName ?? name),
      el("p", { class: "facts" }, facts),
      scored &&
        el(
          "div",
          { class: "actions" },
          report.media.channels > 1 &&
            !report.channels &&
            splitChannels &&
            el("button", { onclick: () => splitChannels(this.recording) }, "Score each channel"),
          el(
            "button",
            {
              onclick: () =>
                download(
                  `${name.split("/").pop()}.json`,
                  JSON.stringify(report, null, 1),
                  "application/json",
                ),
            },
            "Download JSON",
          ),
        ),
    );
  }

  #showReport(recording) {
    const { report } = recording,
      blob = recording.blob?.() ?? null;
    this.#player.load(blob);
    const panels = report.channels?.length
      ? report.channels.map((channel, i) => ({
          name: `Channel ${i + 1}`,
          label: [`Channel ${i + 1}`, scoreWords(channel), mainCause(channel)].filter(Boolean).join(", "),
          channel: i,
          curve: curveOf(channel),
          timeline: channel.timeline,
        }))
      : [{ label: null, channel: null, curve: curveOf(report), timeline: report.timeline }];
    this.#timeline = new Timeline(report, panels, stretchesOf(report));
    this.#timeline.addEventListener("seek", ({ detail: seconds }) => {
      if (this.#player.ready) this.#player.play(seconds);
      else this.#timeline.moveTo(seconds);
    });
    this.#transport = transport({
      player: this.#player,
      timeline: this.#timeline,
      report,
      hasSound: Boolean(blob),
    });
    const play = blob ? (from, to) => this.#player.play(from, to) : null;
    this.note = el("p", { class: "soft note", role: "status" });
    this.#container.replaceChildren(
      this.#heading(recording),
      warningList(report) ?? "",
      el("div", { class: "cards" }, scoreCard(report), findingsCard(report, play)),
      el(
        "section",
        { class: "card timeline-card", "aria-label": "Timeline" },
        this.#timeline.element,
        this.#transport.element,
        this.note,
        el("p", { class: "soft keys", id: "timeline-keys" }, blob ? KEYS.sound : KEYS.silent),
      ),
      report.causes
        ? el(
            "section",
            { class: "card wide-measured", "aria-label": "Measured" },
            el("h3", null, "Measured"),
            measuredList(report),
          )
        : "",
    );
    if (blob) this.#picture(recording, blob);
  }

  async #picture(recording, blob) {
    const { duration_s: duration, channels, sample_rate_hz: rate } = recording.report.media;
    if (!this.#decoded.has(recording) && duration * channels * rate > MOST_SAMPLES) {
      this.note.replaceChildren(
        "This recording is large. ",
        el("button", { class: "link", onclick: () => this.#decode(recording, blob) }, "Show its spectrogram"),
      );
      return;
    }
    await this.#decode(recording, blob);
  }

  async #decode(recording, blob) {
    if (!this.#decoded.has(recording)) {
      if (recording.report.media.duration_s > SLOW_S) this.note.textContent = "Reading the sound …";
      this.#decoded.set(recording, decode(blob));
    }
    for (const old of this.#decoded.keys())
      if (this.#decoded.size > KEEP_DECODED && old !== recording) this.#decoded.delete(old);
    const timeline = this.#timeline,
      sound = await this.#decoded.get(recording);
    if (timeline !== this.#timeline) return; // another recording is shown by now
    if (sound) {
      this.note.textContent = "";
      timeline.setSamples(({ channel }) => (channel === null ? sound.mix : sound.channels[channel]));
    } else
      this.note.textContent = "This browser can't decode the format, so there is no picture of the sound.";
  }

  #told() {
    this.#transport?.update();
    if (this.#player.broken && this.note)
      this.note.textContent = "This browser can't play the format. The scores are not affected.";
  }

  // Keys for the whole page. Returns whether the key was used.
  key({ key, shiftKey }) {
    if (!this.#timeline) return false;
    const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 }[key] * (shiftKey ? 10 : 1);
    if (step) this.#moveTo(this.#timeline.now + step);
    else if (key === "Home") this.#moveTo(0);
    else if (key === "End") this.#moveTo(this.#timeline.view.duration);
    else if (key === " " && this.#player.ready) this.#player.toggle();
    else if (key === "+" || key === "=") this.#timeline.zoom(0.5);
    else if (key === "-") this.#timeline.zoom(2);
    else if (key === "Escape" && this.#player.playing) this.#player.pause();
    else if (key === "Escape" && this.#timeline.view.zoomed) this.#timeline.fit();
    else return false;
    return true;
  }

  #moveTo(seconds) {
    const at = Math.max(0, Math.min(seconds, this.#timeline.view.duration));
    if (this.#player.ready) this.#player.seek(at);
    this.#timeline.moveTo(at, true);
    this.#transport.update();
  }
}
