// A recording decoded by the browser, for pictures: samples of each channel at 16 kHz, the rate of the model.

export const RATE = 16_000;
const BLOCK = 256; // samples of one step of the coarse envelope

// Returns null when the browser can't decode what the server could.
export async function decode(blob) {
  try {
    const buffer = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await blob.arrayBuffer());
    const channels = Array.from(
      { length: buffer.numberOfChannels },
      (_, i) => new Samples(buffer.getChannelData(i)),
    );
    return { channels, mix: channels.length === 1 ? channels[0] : new Samples(mixOf(channels)) };
  } catch {
    return null;
  }
}

function mixOf(channels) {
  const mix = new Float32Array(channels[0].values.length);
  for (const { values } of channels)
    for (let i = 0; i < mix.length; i++) mix[i] += values[i] / channels.length;
  return mix;
}

class Samples {
  #coarse = null;

  constructor(values) {
    this.values = values;
  }

  // The lowest and the highest sample of each block: pictures of an hour don't read every sample.
  get coarse() {
    if (this.#coarse) return this.#coarse;
    const { values } = this,
      count = Math.ceil(values.length / BLOCK);
    const low = new Float32Array(count),
      high = new Float32Array(count);
    for (let block = 0; block < count; block++) {
      [low[block], high[block]] = extremes(
        values,
        values,
        block * BLOCK,
        Math.min(values.length, (block + 1) * BLOCK),
      );
    }
    return (this.#coarse = { low, high });
  }

  // The lowest and the highest sample between two times.
  between(from, to) {
    const start = Math.max(0, Math.floor(from * RATE)),
      stop = Math.min(this.values.length, Math.ceil(to * RATE));
    if (stop <= start) return [0, 0];
    if (stop - start < 4 * BLOCK) return extremes(this.values, this.values, start, stop);
    const { low, high } = this.coarse;
    return extremes(low, high, Math.floor(start / BLOCK), Math.ceil(stop / BLOCK));
  }

  get peak() {
    const [low, high] = this.between(0, Infinity);
    return Math.max(-low, high, 1e-4);
  }
}

function extremes(lows, highs, start, stop) {
  let low = Infinity,
    high = -Infinity;
  for (let i = start; i < stop; i++) {
    if (lows[i] < low) low = lows[i];
    if (highs[i] > high) high = highs[i];
  }
  return [low, high];
}
