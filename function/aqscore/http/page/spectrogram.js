// The spectrogram of a part of a recording: one column a pixel, 0 to 8 kHz, 75 dB from dark to light.

import { RATE } from "./sound.js";

const SIZE = 512,
  BINS = SIZE / 2,
  RANGE_DB = 75;
const MOST_FRAMES = 4; // in one column, when a pixel is longer than a frame: the loudest counts
const STOPS = [
  [0, 10, 13, 20],
  [0.3, 22, 33, 62],
  [0.6, 48, 82, 134],
  [0.82, 122, 158, 202],
  [1, 226, 236, 246],
];

const WINDOW = Float32Array.from({ length: SIZE }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / SIZE));
const COS = Float32Array.from({ length: BINS }, (_, i) => Math.cos((2 * Math.PI * i) / SIZE));
const SIN = Float32Array.from({ length: BINS }, (_, i) => -Math.sin((2 * Math.PI * i) / SIZE));
const REVERSED = Uint16Array.from({ length: SIZE }, (_, i) => {
  let bits = 0;
  for (let bit = 1; bit < SIZE; bit *= 2) bits = bits * 2 + (i & bit ? 1 : 0);
  return bits;
});
const COLORS = Array.from({ length: 256 }, (_, i) => {
  const at = i / 255,
    next = STOPS.findIndex(([place]) => place >= at),
    [a, b] = [STOPS[Math.max(0, next - 1)], STOPS[next]];
  const share = b[0] === a[0] ? 0 : (at - a[0]) / (b[0] - a[0]);
  return [1, 2, 3].map((part) => a[part] + share * (b[part] - a[part]));
});

// Returns a canvas of `columns` by 256, or null without a canvas of that size.
export function spectrogram(samples, from, to, columns) {
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = BINS;
  const pen = canvas.getContext("2d"),
    image = pen.createImageData(columns, BINS);
  const step = ((to - from) * RATE) / columns;
  const frames = Math.max(1, Math.min(MOST_FRAMES, Math.round(step / SIZE)));
  const loudest = new Float32Array(BINS),
    levels = new Float32Array(columns * BINS);
  let top = -Infinity;
  for (let column = 0; column < columns; column++) {
    loudest.fill(0);
    for (let frame = 0; frame < frames; frame++) {
      addPower(samples, Math.round(from * RATE + (column + (frame + 0.5) / frames) * step) - BINS, loudest);
    }
    for (let bin = 0; bin < BINS; bin++) {
      const level = 10 * Math.log10(loudest[bin] + 1e-12);
      levels[column * BINS + bin] = level;
      if (level > top) top = level;
    }
  }
  top = Math.max(top, -40); // silence stays dark
  for (let column = 0; column < columns; column++)
    for (let bin = 0; bin < BINS; bin++) {
      const share = 1 - (top - levels[column * BINS + bin]) / RANGE_DB;
      const [red, green, blue] = COLORS[Math.round(255 * Math.max(0, share))];
      const at = 4 * ((BINS - 1 - bin) * columns + column);
      image.data[at] = red;
      image.data[at + 1] = green;
      image.data[at + 2] = blue;
      image.data[at + 3] = 255;
    }
  pen.putImageData(image, 0, 0);
  return canvas;
}

const real = new Float32Array(SIZE),
  imaginary = new Float32Array(SIZE);

// Raises `most` to the power spectrum of the frame that begins at a sample. Outside the recording is silence.
function addPower(samples, start, most) {
  for (let i = 0; i < SIZE; i++) {
    real[REVERSED[i]] = (samples[start + i] ?? 0) * WINDOW[i];
  }
  imaginary.fill(0);
  for (let half = 1; half < SIZE; half *= 2) {
    const stride = BINS / half;
    for (let block = 0; block < SIZE; block += 2 * half) {
      for (let k = 0; k < half; k++) {
        const a = block + k,
          b = a + half,
          c = COS[k * stride],
          s = SIN[k * stride];
        const re = real[b] * c - imaginary[b] * s,
          im = real[b] * s + imaginary[b] * c;
        real[b] = real[a] - re;
        imaginary[b] = imaginary[a] - im;
        real[a] += re;
        imaginary[a] += im;
      }
    }
  }
  for (let bin = 0; bin < BINS; bin++) {
    const power = real[bin] * real[bin] + imaginary[bin] * imaginary[bin];
    if (power > most[bin]) most[bin] = power;
  }
}
