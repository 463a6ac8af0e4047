// The score on its scale: five classes, the interval as a bracket, the score as a mark.

import { el } from "./dom.js";
import { CLASSES, HIGHEST, LOWEST, placeOf } from "./scale.js";
import { percent } from "./words.js";

const leftOf = (score) => `${(placeOf(score) * 100).toFixed(2)}%`;

export function scaleBar({ score, interval, verdict }) {
  const classes = CLASSES.map(({ name, from, to, color }) =>
    el(
      "div",
      {
        class: name === verdict ? "class here" : "class",
        style: { flex: `${to - from} 0 0`, "--class": color },
      },
      el("span", null, name),
    ),
  );
  const ticks = [LOWEST, ...CLASSES.slice(1).map((each) => each.from), HIGHEST].map((at) =>
    el("span", { class: "tick", style: { left: leftOf(at) } }, at.toFixed((at * 10) % 1 ? 2 : 1)),
  );
  const [low, high] = interval ?? [score, score];
  const spread =
    score === null
      ? null
      : el("div", {
          class: "spread",
          style: { left: leftOf(low), width: `${((placeOf(high) - placeOf(low)) * 100).toFixed(2)}%` },
        });
  const mark = score === null ? null : el("div", { class: "mark", style: { left: leftOf(score) } });
  return el(
    "div",
    { class: "scale", "aria-hidden": "true" },
    el("div", { class: "above" }, spread, mark),
    el("div", { class: "classes" }, classes),
    el("div", { class: "ticks" }, ticks),
  );
}

// The share of the speech in each class, as one bar.
export function shareBar(distribution) {
  const parts = CLASSES.filter(({ name }) => distribution[name] >= 0.005);
  const words = parts.map(({ name }) => `${percent(distribution[name])} ${name}`).join(", ");
  return el(
    "div",
    { class: "shares" },
    el("span", null, `Speech by class: ${words}`),
    el(
      "div",
      { class: "stack", "aria-hidden": "true" },
      parts.map(({ name, color }) =>
        el("i", { style: { flex: `${distribution[name]} 0 0`, background: color } }),
      ),
    ),
  );
}
