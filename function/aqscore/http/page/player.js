// Plays a recording. Events: "time", while it plays and after a jump; "state", on start, stop and failure.

export class Player extends EventTarget {
  #audio = new Audio();
  #url = null;
  #stopAt = null;
  #frame = null;
  ready = false;
  broken = false;

  constructor() {
    super();
    const tell = () => this.dispatchEvent(new Event("state"));
    this.#audio.addEventListener("loadedmetadata", () => {
      this.ready = true;
      tell();
    });
    this.#audio.addEventListener("error", () => {
      this.broken = Boolean(this.#url);
      tell();
    });
    this.#audio.addEventListener("pause", tell);
    this.#audio.addEventListener("ended", tell);
    this.#audio.addEventListener("play", () => {
      tell();
      this.#run();
    });
    this.#audio.addEventListener("seeked", () => this.dispatchEvent(new Event("time")));
  }

  // Takes a Blob, or null where there is no sound.
  load(blob) {
    this.#audio.pause();
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = blob && URL.createObjectURL(blob);
    Object.assign(this, { ready: false, broken: false });
    this.#stopAt = null;
    if (blob) this.#audio.src = this.#url;
    else this.#audio.removeAttribute("src");
  }

  get playing() {
    return !this.#audio.paused;
  }
  get now() {
    return this.#audio.currentTime;
  }

  seek(seconds) {
    this.#stopAt = null;
    this.#audio.currentTime = Math.max(0, Math.min(seconds, this.#audio.duration || 0));
  }

  // Plays from a time, to another if one is given.
  play(from = this.now, to = null) {
    this.seek(from);
    this.#stopAt = to;
    this.#audio.play().catch((error) => {
      if (error.name !== "AbortError") {
        this.broken = true;
        this.dispatchEvent(new Event("state"));
      }
    });
  }

  pause() {
    this.#audio.pause();
  }
  toggle() {
    if (this.playing) this.pause();
    else this.play(this.#audio.ended ? 0 : this.now);
  }

  // timeupdate comes four times a second, too rarely for a playhead.
  #run() {
    cancelAnimationFrame(this.#frame);
    const step = () => {
      if (!this.playing) return;
      if (this.#stopAt !== null && this.now >= this.#stopAt) this.pause();
      this.dispatchEvent(new Event("time"));
      this.#frame = requestAnimationFrame(step);
    };
    this.#frame = requestAnimationFrame(step);
  }
}
