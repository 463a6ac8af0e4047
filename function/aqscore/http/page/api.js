// Sends recordings to the API. Addresses are relative, because API Gateway puts the stage's name before them.

const POST_LIMIT = 4_000_000; // bytes; larger files are uploaded: requests of API Gateway and Lambda are limited
const POLL_MS = 2000,
  POLL_LIMIT_MS = 15 * 60_000;

export class Problem extends Error {
  constructor(status, { message, advice = "", retryAfterS = null }) {
    super(message);
    Object.assign(this, { status, advice, retryAfterS });
  }
}

const UNREACHABLE = {
  message: "The server can't be reached.",
  advice: "Check the connection, then try again.",
};

// Waits. Throws an AbortError at once when the signal is given.
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

function send(method, url, body, { headers = {}, progress, signal } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch tells nothing of an upload's progress
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    if (progress) request.upload.onprogress = (event) => progress(event.loaded / event.total);
    signal?.addEventListener("abort", () => request.abort());
    request.onabort = () => reject(new DOMException("Cancelled", "AbortError"));
    request.onerror = () => reject(new Problem(0, UNREACHABLE));
    request.onload = () => {
      let document = {};
      try {
        document = JSON.parse(request.responseText || "{}");
      } catch {
        /* S3 answers in XML */
      }
      if (request.status < 400) return resolve({ status: request.status, document });
      const message = document.detail || document.message || `The server answered ${request.status}.`;
      const retryAfterS = Number(request.getResponseHeader("Retry-After")) || null;
      return reject(new Problem(request.status, { message, advice: document.advice, retryAfterS }));
    };
    request.send(body);
  });
}

// The report on a file. `options`: key, channels, signal, and progress, called with the share that was sent.
export async function scoreFile(file, name, options) {
  if (file.size > POST_LIMIT && options.channels !== "split") {
    try {
      return await uploaded(file, name, options);
    } catch (problem) {
      if (problem.status !== 501) throw problem;
    }
  }
  const form = new FormData();
  form.append("file", file, name);
  const url = options.channels === "split" ? "v1/scores?channels=split" : "v1/scores";
  return (await send("POST", url, form, { ...options, headers: keyHeader(options) })).document;
}

async function uploaded(file, name, options) {
  const headers = keyHeader(options),
    { signal } = options;
  const wish = JSON.stringify({ filename: name.slice(-255), size: file.size });
  const { document: ticket } = await send("POST", "v1/uploads", wish, {
    signal,
    headers: { ...headers, "Content-Type": "application/json" },
  });
  const form = new FormData();
  for (const [field, value] of Object.entries(ticket.fields)) form.append(field, value);
  form.append("file", file);
  await send("POST", ticket.url, form, { signal, progress: options.progress });
  for (const started = Date.now(); Date.now() - started < POLL_LIMIT_MS;) {
    const { status, document } = await send("GET", ticket.score_url.slice(1), null, { signal, headers });
    if (document.error) throw new Problem(422, document.error);
    if (status !== 202) return document;
    await pause(POLL_MS, signal);
  }
  throw new Problem(504, {
    message: "There is no result after 15 minutes.",
    advice: "The upload is kept and may still be scored. Try again later.",
  });
}

const keyHeader = ({ key }) => (key ? { "x-api-key": key } : {});
