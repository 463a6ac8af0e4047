// The page: takes recordings, sends them to the API, shows what comes back.

import { scoreFile } from "./api.js";
import { Detail } from "./detail.js";
import { $ } from "./dom.js";
import { chosenFiles, droppedFiles } from "./intake.js";
import { Microphone } from "./microphone.js";
import { Queue } from "./queue.js";
import { spoken } from "./spoken.js";
import { Summary } from "./summary.js";
import { RecordingTable } from "./table.js";
import { clock, count } from "./words.js";

const recordings = [];
let follow = false; // show the first result of what was just added, unless another is selected meanwhile

const queue = new Queue((recording, { signal, progress }) =>
  scoreFile(recording.file, recording.name, {
    signal,
    progress,
    key: $("key").value,
    channels: recording.channels,
  }),
);
const detail = new Detail($("detail"), { retry: (recording) => queue.add([recording]), splitChannels });
const summary = new Summary(
  $("set"),
  recordings,
  (admits) => table.setFilter(admits),
  () => queue.add(unfinished()),
);
const table = new RecordingTable($("list"), (recording) => {
  follow = false;
  detail.show(recording);
  say(recording);
  if ($("detail").getBoundingClientRect().top > innerHeight * 0.7)
    $("detail").scrollIntoView({ behavior: "smooth" });
});

// ---- Taking recordings

function take({ files, skipped }) {
  note(String(skipped) || (files.length ? "" : "There are no recordings in it."));
  if (!files.length) return;
  const added = files.map(({ name, file }) => ({ name, file, blob: () => file }));
  recordings.push(...added);
  follow ||= !queue.busy;
  if (recordings.length === added.length && added.length === 1)
    detail.show(Object.assign(added[0], { state: "waiting" }));
  queue.add(added);
}

async function takeDrop(transfer) {
  note("");
  take(await droppedFiles(transfer, (found) => note(`Reading folders: ${count(found, "recording")} so far`)));
}

function splitChannels(recording) {
  recording.channels = "split";
  queue.add([recording]);
}

for (const [picker, openers] of [
  ["files", ["add-files"]],
  ["folder", ["add-folder", "choose-folder"]],
]) {
  for (const opener of openers) $(opener).addEventListener("click", () => $(picker).click());
  $(picker).addEventListener("change", () => {
    take(chosenFiles($(picker).files));
    $(picker).value = "";
  });
}
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.classList.toggle("over", kind === "dragover");
    if (kind === "drop") takeDrop(event.dataTransfer);
  });
}
document.addEventListener("paste", (event) => {
  if (event.clipboardData?.files.length) take(chosenFiles(event.clipboardData.files));
});
for (const button of document.querySelectorAll("[data-sample]")) {
  button.addEventListener("click", async () => {
    const answer = await fetch(`samples/${button.dataset.sample}`).catch(() => null);
    if (!answer?.ok) return note("The sample can't be fetched. Check the connection, then try again.");
    return take({ files: [{ name: button.dataset.sample, file: await answer.blob() }], skipped: "" });
  });
}

// ---- The microphone

let microphone = null;
const DECAY = 0.9;

async function record() {
  if (microphone) return;
  let level = 0;
  try {
    microphone = await Microphone.open(({ peak, seconds }) => {
      level = Math.max(peak, level * DECAY);
      $("mic-level").value = 20 * Math.log10(level + 1e-3);
      $("mic-time").textContent = clock(seconds, 1);
    });
  } catch (error) {
    return note(
      `The microphone can't be used (${error.message}). Check that there is one and that the browser may use it.`,
    );
  }
  note("");
  $("microphone").hidden = false;
  return $("mic-stop").focus();
}

async function stopRecording(keep) {
  const stopped = microphone;
  microphone = null;
  $("microphone").hidden = true;
  await stopped.close();
  if (!keep) return;
  const number = recordings.filter(({ name }) => name.startsWith("microphone")).length + 1;
  const name = number === 1 ? "microphone.wav" : `microphone-${number}.wav`;
  take({ files: [{ name, file: stopped.file(name) }], skipped: "" });
}

$("record").addEventListener("click", record);
$("add-microphone").addEventListener("click", record);
$("mic-stop").addEventListener("click", () => stopRecording(true));
$("mic-cancel").addEventListener("click", () => stopRecording(false));

// ---- The queue

queue.addEventListener("change", ({ detail: recording }) => {
  table.update(recording);
  if (follow && ["done", "failed"].includes(recording.state)) {
    follow = false;
    table.select(recording);
    detail.show(recording);
    say(recording);
  } else if (recording === detail.recording) detail.show(recording);
});
queue.addEventListener("state", () => {
  const { finished, total, names } = queue.progress;
  document.body.dataset.view = recordings.length === 0 ? "idle" : recordings.length === 1 ? "one" : "many";
  $("set").hidden = $("list").hidden = recordings.length < 2;
  $("queue").hidden = !queue.busy;
  summary.retry.hidden = queue.busy || !unfinished().length;
  $("progress").value = total ? finished / total : 0;
  $("status").textContent = queue.needsKey
    ? "Waits for the key."
    : `${Math.min(finished + 1, total)} of ${total}${names.length ? `: ${names[0]}` : ""}`;
  askForKey(queue.needsKey);
  if (recordings.length > 1) summary.update();
});
$("cancel").addEventListener("click", () => queue.cancel());
const unfinished = () => recordings.filter((each) => each.error || each.state === "cancelled");

function askForKey(needed) {
  if (!needed) return void ($("key-form").hidden = true);
  $("key-note").textContent = $("key").value ? "The key was not accepted." : "It stays in this tab.";
  if (!$("key-form").hidden) return undefined;
  $("key-form").hidden = false;
  return $("key").focus();
}

$("key").value = sessionStorage.getItem("api-key") || "";
$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("api-key", $("key").value);
  queue.resume();
});

// ---- Words

function note(text) {
  $("note").textContent = text;
  $("note").hidden = !text;
}

function say(recording) {
  if (recording.report || recording.error) $("spoken").textContent = spoken(recording);
}

// A proxy on this machine that signs requests shows the page of a stack, under the path of its stage.
const here = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname) && location.pathname === "/";
$("privacy").textContent = $("promise").textContent = here
  ? "Recordings stay on this machine."
  : `Recordings go only to this service, ${location.hostname}.`;

// ---- Keys for the whole page, except where an element has its own use for them

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, select, textarea, meter"))
    return;
  if (key === " " && target.matches("button, a, label")) return;
  if (detail.key(event)) event.preventDefault();
});
