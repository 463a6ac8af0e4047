// The page: sends recordings to the API and shows what comes back. Addresses are relative, because API
// Gateway puts the stage's name before them.
"use strict";

const POST_LIMIT = 4_000_000; // bytes that fit into a request of API Gateway and Lambda; larger ones are uploaded
const LOWEST = 1, HIGHEST = 4.64;
const WORDS = {
  bad: "bad: hard to listen to", poor: "poor", fair: "fair", good: "good", excellent: "excellent",
};
const $ = (id) => document.getElementById(id);

const recordings = []; // {file, name, report | error, samples}
let shown = null;
let sorting = { by: null, descending: false };

// ---- Asking the API

class Problem extends Error {
  constructor(status, document) {
    super([document.detail, document.advice].filter(Boolean).join(" "));
    this.status = status;
  }
}

function send(method, url, body, { headers = {}, progress } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch tells nothing of an upload's progress
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    if (progress) request.upload.onprogress = (event) => progress(event.loaded / event.total);
    request.onerror = () => reject(new Problem(0, { detail: "The server can't be reached.", advice: "Check the connection and try again." }));
    request.onload = () => {
      let document = {};
      try { document = JSON.parse(request.responseText || "{}"); } catch { /* S3 answers in XML */ }
      if (request.status < 400) resolve({ status: request.status, document });
      else reject(new Problem(request.status, { detail: document.detail || document.message || `The server answered ${request.status}.`, advice: document.advice }));
    };
    request.send(body);
  });
}

function key() {
  const value = $("key").value;
  return value ? { "x-api-key": value } : {};
}

async function scoreOf(file, progress) {
  if (file.size > POST_LIMIT) {
    try { return await uploaded(file, progress); } catch (problem) { if (problem.status !== 501) throw problem; }
  }
  const form = new FormData();
  form.append("file", file, file.name);
  return (await send("POST", "v1/scores", form, { headers: key(), progress })).document;
}

async function uploaded(file, progress) {
  const wish = JSON.stringify({ filename: file.name, size: file.size });
  const { document: ticket } = await send("POST", "v1/uploads", wish, { headers: { ...key(), "Content-Type": "application/json" } });
  const form = new FormData();
  for (const [name, value] of Object.entries(ticket.fields)) form.append(name, value);
  form.append("file", file);
  await send("POST", ticket.url, form, { progress });
  for (;;) {
    const { status, document } = await send("GET", ticket.score_url.slice(1), null, { headers: key() });
    if (status !== 202) {
      if (document.error) throw new Problem(422, { detail: document.error.message, advice: document.error.advice });
      return document;
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

// ---- Taking recordings

async function take(files) {
  const chosen = [...files];
  if (!chosen.length) return;
  $("error").hidden = true;
  for (const [index, file] of chosen.entries()) {
    const recording = { file, name: file.name };
    say(`Scoring ${file.name} (${index + 1} of ${chosen.length}) …`);
    $("progress").hidden = false;
    try {
      recording.report = await scoreOf(file, (share) => { $("progress").value = share; });
    } catch (problem) {
      if ([401, 403].includes(problem.status)) $("key-label").hidden = false;
      recording.error = problem.message;
    }
    recordings.push(recording);
    listAll();
    if (recording.error) complain(`${file.name}: ${recording.error}`);
    else await show(recording);
  }
  $("progress").hidden = true;
  const failed = chosen.length - recordings.slice(-chosen.length).filter((each) => each.report).length;
  say(failed ? `Done. ${failed} of ${chosen.length} could not be scored.` : "Done.");
}

const say = (text) => { $("status").textContent = text; };
function complain(text) { $("error").textContent = text; $("error").hidden = false; }

$("files").addEventListener("change", () => take($("files").files).then(() => { $("files").value = ""; }));
for (const [event, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  document.addEventListener(event, (drag) => {
    drag.preventDefault();
    $("drop").classList.toggle("over", over);
    if (event === "drop") take(drag.dataTransfer.files);
  });
}
$("key").value = sessionStorage.getItem("api-key") || "";
$("key-label").hidden = !$("key").value;
$("key").addEventListener("change", () => sessionStorage.setItem("api-key", $("key").value));

// ---- The microphone: samples as they are, not through the browser's codec, which would cost score

let microphone = null;
$("record").addEventListener("click", () => (microphone ? stopRecording() : startRecording()).catch((error) => {
  complain(`The microphone can't be used (${error.message}). Check that there is one and that the browser may use it, and try again.`);
}));

async function startRecording() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  const context = new AudioContext();
  await context.audioWorklet.addModule("page/recorder.js");
  const node = new AudioWorkletNode(context, "recorder");
  const blocks = [];
  node.port.onmessage = (message) => blocks.push(message.data);
  context.createMediaStreamSource(stream).connect(node);
  microphone = { stream, context, blocks };
  $("record").textContent = "Stop and score";
  say("Recording …");
}

async function stopRecording() {
  const { stream, context, blocks } = microphone;
  microphone = null;
  stream.getTracks().forEach((track) => track.stop());
  await context.close();
  $("record").textContent = "Record from the microphone";
  await take([new File([wav(blocks, context.sampleRate)], "microphone.wav", { type: "audio/wav" })]);
}

function wav(blocks, rate) {
  const count = blocks.reduce((sum, block) => sum + block.length, 0);
  const view = new DataView(new ArrayBuffer(44 + 2 * count));
  const text = (at, value) => [...value].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + 2 * count, true); text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, rate, true); view.setUint32(28, 2 * rate, true); view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  text(36, "data"); view.setUint32(40, 2 * count, true);
  let at = 44;
  for (const block of blocks) for (const sample of block) {
    view.setInt16(at, Math.max(-1, Math.min(1, sample)) * 32767, true);
    at += 2;
  }
  return view.buffer;
}

// ---- Showing one recording

async function show(recording) {
  shown = recording;
  const { report } = recording;
  $("one").hidden = false;
  $("name").textContent = recording.name;
  $("score").textContent = report.score === null ? "no score" : report.score.toFixed(2);
  $("score").className = report.verdict || "";
  $("words").textContent = WORDS[report.verdict] || "";
  $("interval").textContent = report.interval ? `Nine times out of ten it is between ${report.interval[0].toFixed(2)} and ${report.interval[1].toFixed(2)}.` : "";
  $("warnings").replaceChildren(...report.warnings.map((warning) => {
    const item = document.createElement("li");
    item.textContent = warning.message;
    return item;
  }));
  const worst = report.worst_segment;
  $("caption").textContent = worst
    ? `Score over time, from ${LOWEST} (bottom) to ${HIGHEST} (top). Worst second: ${worst.score.toFixed(2)} at ${worst.start_s.toFixed(1)} s. Click, or use the arrow keys, to play from a moment.`
    : "";
  $("timeline").setAttribute("aria-valuemax", report.media.duration_s.toFixed(1));
  $("download").href = address("download", new Blob([JSON.stringify(report, null, 1)], { type: "application/json" }));
  $("download").download = `${recording.name}.json`;
  listAll();
  draw();
  $("player").hidden = !recording.file;
  $("worst").hidden = !worst || !recording.file;
  if (!recording.file) return; // a saved page has no sound
  $("player").src = address("player", recording.file);
  recording.samples ??= await peaks(recording.file);
  draw();
}

const addresses = {};
function address(name, blob) {
  if (addresses[name]) URL.revokeObjectURL(addresses[name]);
  return (addresses[name] = URL.createObjectURL(blob));
}

// The loudest sample of each of 1,000 stretches; empty when the browser can't decode what the server could.
async function peaks(file) {
  try {
    const context = new OfflineAudioContext(1, 1, 16000);
    const samples = (await context.decodeAudioData(await file.arrayBuffer())).getChannelData(0);
    const width = Math.max(1, Math.ceil(samples.length / 1000));
    return Array.from({ length: Math.ceil(samples.length / width) }, (_, i) =>
      samples.subarray(i * width, (i + 1) * width).reduce((most, s) => Math.max(most, Math.abs(s)), 0));
  } catch {
    return [];
  }
}

function draw() {
  if (!shown?.report) return;
  const { report, samples } = shown;
  const canvas = $("timeline"), scale = devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const style = getComputedStyle(document.body);
  const color = (name) => resolved(style.getPropertyValue(name));
  const x = (seconds) => (seconds / report.media.duration_s) * width;
  const y = (score) => height - ((score - LOWEST) / (HIGHEST - LOWEST)) * (height - 4) - 2;

  const worst = report.worst_segment;
  if (worst) {
    pen.fillStyle = color("--bad");
    pen.globalAlpha = 0.2;
    pen.fillRect(x(worst.start_s), 0, Math.max(2, x(worst.end_s) - x(worst.start_s)), height);
    pen.globalAlpha = 1;
  }
  if (samples?.length) {
    const most = Math.max(...samples, 1e-6);
    pen.fillStyle = color("--wave");
    samples.forEach((peak, i) => {
      const tall = (peak / most) * height * 0.9;
      pen.fillRect((i / samples.length) * width, (height - tall) / 2, Math.max(1, width / samples.length), tall);
    });
  }
  pen.strokeStyle = color("--line");
  pen.fillStyle = color("--faint");
  pen.font = "12px system-ui, sans-serif";
  for (const mark of [2, 3, 4]) {
    pen.setLineDash([2, 4]);
    pen.beginPath(); pen.moveTo(0, y(mark)); pen.lineTo(width, y(mark)); pen.stroke();
    pen.fillText(mark, 2, y(mark) - 3);
  }
  pen.setLineDash([]);
  if (report.frames) {
    const { scores, hop_s: hop, start_s: start } = report.frames;
    pen.strokeStyle = color("--accent");
    pen.lineWidth = 2;
    pen.beginPath();
    scores.forEach((score, i) => pen.lineTo(x(start + i * hop), y(score)));
    pen.stroke();
  }
  pen.fillStyle = color("--ink");
  pen.fillRect(x($("player").currentTime) - 1, 0, 2, height);
}

// A canvas doesn't know light-dark(): the browser resolves it on an element.
const probe = document.createElement("span");
document.body.append(probe);
probe.hidden = true;
function resolved(color) {
  probe.style.color = color;
  return getComputedStyle(probe).color;
}

function playFrom(seconds) {
  if (!shown.file) return;
  const player = $("player");
  player.currentTime = Math.max(0, Math.min(seconds, shown.report.media.duration_s));
  player.play().catch((error) => { if (error.name !== "AbortError") say("This browser can't play that format."); });
}

$("timeline").addEventListener("click", (event) => {
  playFrom((event.offsetX / $("timeline").clientWidth) * shown.report.media.duration_s);
});
$("timeline").addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  playFrom($("player").currentTime + step);
});
$("worst").addEventListener("click", () => playFrom(shown.report.worst_segment.start_s));
$("player").addEventListener("timeupdate", () => {
  $("timeline").setAttribute("aria-valuenow", $("player").currentTime.toFixed(1));
  draw();
});
addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

// ---- Showing all of them

const VALUES = {
  name: (each) => each.name.toLowerCase(),
  score: (each) => each.report?.score ?? -1,
  verdict: (each) => each.report?.score ?? -1,
  seconds: (each) => each.report?.media.duration_s ?? -1,
};

function listAll() {
  $("many").hidden = recordings.length < 2;
  const order = [...recordings];
  if (sorting.by) {
    const value = VALUES[sorting.by], sign = sorting.descending ? -1 : 1;
    order.sort((a, b) => sign * (value(a) > value(b) ? 1 : value(a) < value(b) ? -1 : 0));
  }
  $("rows").replaceChildren(...order.map(row));
}

function row(recording) {
  const { report } = recording, line = document.createElement("tr"), open = document.createElement("button");
  open.type = "button";
  open.textContent = recording.name;
  open.disabled = !report;
  open.addEventListener("click", () => show(recording));
  line.setAttribute("aria-current", recording === shown);
  const texts = report
    ? [report.score?.toFixed(2) ?? "–", report.verdict ?? "no score", `${report.media.duration_s.toFixed(1)} s`]
    : ["–", recording.error, ""];
  line.append(...[open, ...texts].map((content) => {
    const cell = document.createElement("td");
    cell.append(content);
    return cell;
  }));
  return line;
}

for (const button of document.querySelectorAll("[data-sort]")) {
  button.addEventListener("click", () => {
    const by = button.dataset.sort;
    sorting = { by, descending: sorting.by === by && !sorting.descending };
    for (const head of document.querySelectorAll("th")) head.setAttribute("aria-sort", "none");
    button.parentElement.setAttribute("aria-sort", sorting.descending ? "descending" : "ascending");
    listAll();
  });
}

// ---- A saved page brings its results along and asks nobody

if ($("results")) {
  $("ways").hidden = true;
  for (const result of JSON.parse($("results").textContent)) {
    const error = result.error && `${result.error.message} ${result.error.advice}`;
    recordings.push({ name: result.source.file, report: result.error ? null : result, error });
  }
  listAll();
  const first = recordings.find((each) => each.report);
  if (first) show(first);
  else complain(recordings.map((each) => `${each.name}: ${each.error}`).join(" "));
}
