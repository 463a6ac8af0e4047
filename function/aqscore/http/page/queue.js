// The queue of recordings to score. It takes more at any time, two at once are on their way.
//
// A recording is {name, file, state, progress, report, error}. Its states: waiting, sending, scoring, done, failed,
// cancelled. Events: "change" (detail: the recording) and "state", when the queue starts, stops or
// needs a key.

import { pause } from "./api.js";

const PARALLEL = 2,
  ATTEMPTS = 6;

export class Queue extends EventTarget {
  #score;
  #waiting = [];
  #running = new Map();
  #total = 0;
  #finished = 0;
  needsKey = false;

  // `score(recording, {signal, progress})` returns a report, or throws a Problem.
  constructor(score) {
    super();
    this.#score = score;
  }

  get busy() {
    return this.#running.size > 0 || this.#waiting.length > 0;
  }
  get progress() {
    return {
      finished: this.#finished,
      total: this.#total,
      names: [...this.#running.keys()].map((each) => each.name),
    };
  }

  add(recordings) {
    if (!this.busy) this.#total = this.#finished = 0;
    this.#total += recordings.length;
    for (const recording of recordings) {
      Object.assign(recording, { state: "waiting", progress: 0, error: null });
      this.#changed(recording);
    }
    this.#waiting.push(...recordings);
    this.#start();
  }

  cancel() {
    for (const recording of this.#waiting.splice(0)) this.#end(recording, "cancelled");
    for (const controller of this.#running.values()) controller.abort();
    this.needsKey = false;
    this.#tell();
  }

  // Goes on after a key was given.
  resume() {
    this.needsKey = false;
    this.#start();
  }

  #start() {
    while (!this.needsKey && this.#running.size < PARALLEL && this.#waiting.length)
      this.#run(this.#waiting.shift());
    this.#tell();
  }

  async #run(recording) {
    const controller = new AbortController();
    this.#running.set(recording, controller);
    try {
      recording.report = await this.#attempts(recording, controller.signal);
      this.#end(recording, "done");
    } catch (problem) {
      if (problem.name === "AbortError") this.#end(recording, "cancelled");
      else if ([401, 403].includes(problem.status)) {
        this.needsKey = true;
        this.#waiting.unshift(recording);
        recording.state = "waiting";
        this.#changed(recording);
      } else {
        recording.error = { message: problem.message, advice: problem.advice ?? "" };
        this.#end(recording, "failed");
      }
    }
    this.#running.delete(recording);
    this.#start();
  }

  // A busy server says when to come back.
  async #attempts(recording, signal) {
    for (let attempt = 1; ; attempt++) {
      recording.state = "sending";
      this.#changed(recording);
      const progress = (share) => {
        recording.progress = share;
        if (share >= 1) recording.state = "scoring";
        this.#changed(recording);
      };
      try {
        return await this.#score(recording, { signal, progress });
      } catch (problem) {
        if (![429, 503].includes(problem.status) || attempt === ATTEMPTS) throw problem;
        await pause(1000 * (problem.retryAfterS ?? attempt), signal);
      }
    }
  }

  #end(recording, state) {
    recording.state = state;
    this.#finished += 1;
    this.#changed(recording);
  }

  #changed(recording) {
    this.dispatchEvent(new CustomEvent("change", { detail: recording }));
  }
  #tell() {
    this.dispatchEvent(new Event("state"));
  }
}
