// The buttons under a timeline.

import { el } from "./dom.js";
import { clock } from "./words.js";

export function transport({ player, timeline, report, hasSound }) {
  const duration = report.media.duration_s,
    digits = duration < 60 ? 1 : 0,
    worst = report.worst_segment;
  const play = el("button", { class: "play", onclick: () => player.toggle(), "aria-keyshortcuts": "Space" });
  const time = el("span", { class: "time" });
  const playWorst =
    worst &&
    el(
      "button",
      { onclick: () => player.play(worst.start_s, worst.end_s), "aria-label": "Play the worst second" },
      "▶ Worst second",
    );
  const modes = ["spectrogram", "waveform"].map((mode) =>
    el(
      "button",
      {
        "aria-pressed": String(mode === timeline.mode),
        onclick: () => {
          timeline.setMode(mode);
          for (const [i, each] of ["spectrogram", "waveform"].entries())
            modes[i].setAttribute("aria-pressed", String(each === mode));
        },
      },
      mode === "spectrogram" ? "Spectrogram" : "Waveform",
    ),
  );
  const fit = el(
    "button",
    { onclick: () => timeline.fit(), disabled: true, "aria-label": "Show the whole recording" },
    "Fit",
  );
  timeline.addEventListener("view", () => {
    fit.disabled = !timeline.view.zoomed;
  });
  const update = () => {
    const off = player.broken || !player.ready;
    play.disabled = off;
    if (playWorst) playWorst.disabled = off;
    play.textContent = player.playing ? "❚❚" : "▶";
    play.setAttribute("aria-label", player.playing ? "Pause" : "Play");
    time.textContent = `${clock(timeline.now, digits)} / ${clock(duration, digits)}`;
  };
  const element = el(
    "div",
    { class: "transport" },
    hasSound && play,
    hasSound && time,
    hasSound && playWorst,
    el("span", { class: "spring" }),
    hasSound && el("div", { class: "switch", role: "group", "aria-label": "Picture" }, modes),
    el(
      "div",
      { class: "switch", role: "group", "aria-label": "Zoom" },
      el("button", { onclick: () => timeline.zoom(2), "aria-label": "Zoom out" }, "−"),
      fit,
      el("button", { onclick: () => timeline.zoom(0.5), "aria-label": "Zoom in" }, "+"),
    ),
  );
  update();
  return { element, update };
}
