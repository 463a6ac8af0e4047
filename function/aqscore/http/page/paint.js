// Draws a timeline on a canvas: picture of the sound, class bands, score, marked stretches, axes.

import { CLASSES, HIGHEST, LOWEST, placeOf } from "./scale.js";
import { columnsOf } from "./stretches.js";
import { clock } from "./words.js";

export const EDGE = { left: 40, right: 54, top: 42, bottom: 22, gap: 6 };
const GROUND = "#0a0d14",
  QUIET = "#a6b0c0",
  FAINT = "rgba(255,255,255,.16)",
  RED = "#f2555a";
const FONT = "11px system-ui, sans-serif";
const TICKS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];

// The part of the canvas for panel `index` of `count`.
export function panelArea(width, height, count, index) {
  const tall = (height - EDGE.top - EDGE.bottom - EDGE.gap * (count - 1)) / count;
  return {
    x: EDGE.left,
    y: EDGE.top + index * (tall + EDGE.gap),
    width: Math.max(1, width - EDGE.left - EDGE.right),
    height: tall,
  };
}

// `scene`: view {from, to}, panels [{label, curve, samples, picture}], stretches, mode.
export function paint(pen, width, height, scene) {
  pen.fillStyle = GROUND;
  pen.fillRect(0, 0, width, height);
  pen.font = FONT;
  pen.textBaseline = "middle";
  scene.panels.forEach((panel, index) =>
    paintPanel(pen, panelArea(width, height, scene.panels.length, index), panel, scene),
  );
  const whole = panelArea(width, height, 1, 0);
  paintStretches(pen, whole, scene);
  paintTimeAxis(pen, whole, scene.view, height);
}

function paintPanel(pen, area, panel, scene) {
  pen.save();
  pen.beginPath();
  pen.rect(area.x, area.y, area.width, area.height);
  pen.clip();
  const pictured = scene.mode === "spectrogram" && panel.picture;
  if (pictured) paintPicture(pen, area, panel.picture, scene.view);
  else paintBands(pen, area);
  if (scene.mode === "waveform" && panel.samples) paintWave(pen, area, panel.samples, scene.view);
  paintCurve(pen, area, panel.curve, scene.view);
  pen.restore();
  if (panel.curve.values.length) paintScoreAxis(pen, area, !pictured);
  if (pictured) paintFrequencyAxis(pen, area);
  if (panel.label) paintTag(pen, area.x + 8, area.y + 14, panel.label);
}

const scoreY = (area, score) => area.y + area.height * (1 - placeOf(score));

function paintBands(pen, area) {
  for (const { from, to, color } of CLASSES) {
    pen.globalAlpha = 0.1;
    pen.fillStyle = color;
    pen.fillRect(area.x, scoreY(area, to), area.width, scoreY(area, from) - scoreY(area, to));
  }
  pen.globalAlpha = 1;
}

// A picture of another view, from before a zoom, is moved to where it belongs.
function paintPicture(pen, area, { canvas, from, to }, view) {
  const scale = area.width / (view.to - view.from);
  pen.fillRect(area.x, area.y, area.width, area.height);
  pen.drawImage(canvas, area.x + (from - view.from) * scale, area.y, (to - from) * scale, area.height);
}

function paintWave(pen, area, samples, view) {
  const middle = area.y + area.height / 2,
    gain = (area.height / 2 - 4) / samples.peak,
    step = (view.to - view.from) / area.width;
  pen.fillStyle = "#54658a";
  for (let x = 0; x < area.width; x++) {
    const [low, high] = samples.between(view.from + x * step, view.from + (x + 1) * step);
    pen.fillRect(area.x + x, middle - high * gain, 1, Math.max(1, (high - low) * gain));
  }
}

function classColors(pen, area) {
  const colors = pen.createLinearGradient(0, area.y + area.height, 0, area.y);
  for (const { from, to, color } of CLASSES) {
    colors.addColorStop(placeOf(from), color);
    colors.addColorStop(placeOf(to), color);
  }
  return colors;
}

function paintCurve(pen, area, curve, view) {
  const points = columnsOf(curve, view.from, view.to, area.width);
  if (!points.length) return;
  const colors = classColors(pen, area),
    x = (point) => area.x + point.x;
  pen.lineJoin = "round";
  if (points.some(({ low, high }) => high > low)) {
    pen.beginPath();
    points.forEach((point) => pen.lineTo(x(point), scoreY(area, point.high)));
    points.toReversed().forEach((point) => pen.lineTo(x(point), scoreY(area, point.low)));
    pen.globalAlpha = 0.45;
    pen.fillStyle = colors;
    pen.fill();
    pen.globalAlpha = 1;
  }
  pen.beginPath();
  points.forEach((point) =>
    pen.lineTo(
      x(point),
      Math.min(area.y + area.height - 1.5, Math.max(area.y + 1.5, scoreY(area, point.mean))),
    ),
  );
  for (const [style, wide] of [
    ["rgba(6,8,12,.85)", 5.5],
    [colors, 2.5],
  ]) {
    pen.strokeStyle = style;
    pen.lineWidth = wide;
    pen.stroke();
  }
}

function paintScoreAxis(pen, area, names) {
  for (const { from, to, color } of CLASSES) {
    pen.fillStyle = color;
    pen.fillRect(area.x - 5, scoreY(area, to) + 0.5, 4, scoreY(area, from) - scoreY(area, to) - 1);
  }
  pen.textAlign = "right";
  for (const score of [LOWEST, ...CLASSES.slice(1).map((each) => each.from), HIGHEST]) {
    const y = scoreY(area, score),
      outer = score === LOWEST || score === HIGHEST;
    if (!outer) {
      pen.fillStyle = FAINT;
      pen.fillRect(area.x, y - 0.5, area.width, 1);
    }
    if (outer || area.height > 110) {
      pen.fillStyle = QUIET;
      pen.fillText(
        score.toFixed((score * 10) % 1 ? 2 : 1),
        area.x - 9,
        Math.min(area.y + area.height - 6, Math.max(area.y + 6, y)),
      );
    }
  }
  if (!names || area.height < 110) return;
  pen.textAlign = "left";
  for (const { name, from, to } of CLASSES) {
    pen.fillStyle = QUIET;
    pen.globalAlpha = 0.75;
    pen.fillText(name, area.x + area.width + 4, (scoreY(area, from) + scoreY(area, to)) / 2, EDGE.right - 6);
    pen.globalAlpha = 1;
  }
}

function paintFrequencyAxis(pen, area) {
  pen.textAlign = "left";
  pen.fillStyle = QUIET;
  for (const kilohertz of area.height > 110 ? [0, 2, 4, 6, 8] : [0, 4, 8]) {
    const y = area.y + area.height * (1 - kilohertz / 8);
    pen.fillText(
      kilohertz === 8 ? "8 kHz" : kilohertz,
      area.x + area.width + 5,
      Math.min(area.y + area.height - 6, Math.max(area.y + 6, y)),
    );
  }
}

function paintTag(pen, x, y, text) {
  pen.textAlign = "left";
  const wide = pen.measureText(text).width;
  pen.fillStyle = "rgba(6,8,12,.75)";
  pen.beginPath();
  pen.roundRect(x - 4, y - 9, wide + 8, 18, 4);
  pen.fill();
  pen.fillStyle = "#fff";
  pen.fillText(text, x, y);
}

// Marks above the plot, a few pixels wide at least, so that they show in an hour too.
function paintStretches(pen, area, { stretches, view }) {
  const scale = area.width / (view.to - view.from);
  const shown = stretches
    .map((each) => ({
      ...each,
      left: area.x + (each.from - view.from) * scale,
      wide: Math.max(each.peak || each.worst ? 6 : 2, (each.to - each.from) * scale),
    }))
    .filter(({ left, wide }) => left + wide >= area.x && left <= area.x + area.width);
  pen.save();
  pen.beginPath();
  pen.rect(area.x - 4, 0, area.width + 8, area.y + area.height);
  pen.clip();
  for (const { left, wide, color, worst } of shown) {
    pen.fillStyle = worst ? RED : color;
    pen.fillRect(left, area.y - (worst ? 4 : 9), wide, 4);
    pen.globalAlpha = 0.16;
    if (worst) pen.fillRect(left, area.y, wide, area.height);
    pen.globalAlpha = 1;
  }
  paintLabels(pen, area, shown.toReversed());
  pen.restore();
}

// The names of the marks, the most important ones first. Those of causes don't overlap, nor follow their like.
function paintLabels(pen, area, marks) {
  const taken = [];
  pen.textAlign = "left";
  for (const { left, label, color, worst } of marks) {
    if (!label) continue;
    const room = pen.measureText(label).width,
      at = Math.max(area.x, Math.min(left, area.x + area.width - room)),
      apart = (each) => (each.label === label ? 200 : 10);
    if (worst) {
      pen.fillStyle = "#ff9a9d";
      pen.fillText(label, at, 9);
    } else if (taken.every((each) => at > each.to + apart(each) || at + room < each.from - apart(each))) {
      pen.fillStyle = color;
      pen.fillText(label, at, area.y - 18);
      taken.push({ from: at, to: at + room, label });
    }
  }
}

function paintTimeAxis(pen, area, view, height) {
  const span = view.to - view.from,
    fits = Math.max(2, area.width / 80);
  const step =
    TICKS.find((each) => span / each <= fits) ?? TICKS.at(-1) * Math.ceil(span / fits / TICKS.at(-1));
  const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  pen.textAlign = "center";
  for (let i = Math.ceil(view.from / step); i * step <= view.to; i++) {
    const x = area.x + ((i * step - view.from) / span) * area.width;
    pen.fillStyle = FAINT;
    pen.fillRect(x, area.y + area.height, 1, 4);
    pen.fillStyle = QUIET;
    pen.fillText(clock(i * step, digits), x, height - EDGE.bottom / 2 + 2);
  }
}

// The moving parts: playhead and pointer.
export function paintCursor(pen, width, height, view, seconds, style) {
  if (seconds === null || seconds < view.from || seconds > view.to) return;
  const area = panelArea(width, height, 1, 0),
    x = area.x + ((seconds - view.from) / (view.to - view.from)) * area.width;
  pen.fillStyle = style;
  pen.fillRect(x - 0.75, area.y, 1.5, area.height);
}
