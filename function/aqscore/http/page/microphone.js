// The microphone as PCM samples, not through the browser's codec, which would cost score.

export class Microphone {
  // `heard({peak, seconds})` is called for each block, with its peak, 0 to 1.
  static async open(heard) {
    const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    const context = new AudioContext();
    await context.audioWorklet.addModule("page/recorder.js");
    const node = new AudioWorkletNode(context, "recorder");
    const source = context.createMediaStreamSource(stream);
    const microphone = new Microphone(stream, context);
    node.port.onmessage = ({ data }) => microphone.#take(data, heard);
    source.connect(node);
    return microphone;
  }

  #stream;
  #context;
  #blocks = [];
  #count = 0;

  constructor(stream, context) {
    this.#stream = stream;
    this.#context = context;
  }

  #take(block, heard) {
    this.#blocks.push(block);
    this.#count += block.length;
    heard({
      peak: block.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0),
      seconds: this.#count / this.#context.sampleRate,
    });
  }

  async close() {
    for (const track of this.#stream.getTracks()) track.stop();
    await this.#context.close();
  }

  // What was recorded, as a WAV file of 16 bits.
  file(name) {
    return new File([wavOf(this.#blocks, this.#count, this.#context.sampleRate)], name, {
      type: "audio/wav",
    });
  }
}

function wavOf(blocks, count, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * count));
  const text = (at, value) => [...value].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * count, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * count, true);
  let at = 44;
  for (const block of blocks)
    for (const sample of block) {
      view.setInt16(at, Math.round(Math.max(-1, Math.min(1, sample)) * 32767), true);
      at += 2;
    }
  return view.buffer;
}
