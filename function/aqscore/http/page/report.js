// The report of `aqscore score --report`: the results are in the document, and the sound if it was embedded.

import { Detail } from "./detail.js";
import { $, el } from "./dom.js";
import { spoken } from "./spoken.js";
import { Summary } from "./summary.js";
import { RecordingTable } from "./table.js";
import { clock, count } from "./words.js";

const { results, created, command, notes } = JSON.parse($("results").textContent);
const names = results.map(({ source }) => source.file ?? source.key);
const folder = commonFolder(names);
const recordings = results.map((result, i) => ({
  name: names[i],
  shortName: names[i].slice(folder.length),
  state: result.error ? "failed" : "done",
  report: result.error ? null : result,
  error: result.error ?? null,
  blob: () => soundOf(i),
}));

// The beginning that all names share, up to a slash.
function commonFolder([first = "", ...others]) {
  const parts = first.split("/").slice(0, -1);
  while (parts.length && !others.every((each) => each.startsWith(`${parts.join("/")}/`))) parts.pop();
  return parts.length ? `${parts.join("/")}/` : "";
}

// Base64 in a script element is decoded when it is asked for.
function soundOf(index) {
  const element = $(`sound-${index}`);
  if (!element) return null;
  return new Blob([Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0))], {
    type: element.dataset.type,
  });
}

const detail = new Detail($("detail"));
const table = new RecordingTable($("list"), (recording) => {
  detail.show(recording);
  $("spoken").textContent = spoken(recording);
});
const summary = new Summary($("set"), recordings, (admits) => table.setFilter(admits));
for (const recording of recordings) table.update(recording);
summary.update();

const models = [
  ...new Set(
    recordings
      .filter((each) => each.report)
      .map(({ report }) => `${report.model.name} ${report.model.version}`),
  ),
];
const seconds = recordings.reduce((sum, { report }) => sum + (report?.media.duration_s ?? 0), 0);
$("made").replaceChildren(
  ...[count(recordings.length, "recording"), clock(seconds), ...models, created, ...notes].map((each) =>
    el("span", null, each),
  ),
);
$("command").replaceChildren(...(command ? ["Made by ", el("code", null, command)] : []));

document.body.dataset.view = recordings.length === 1 ? "one" : "many";
$("set").hidden = $("list").hidden = recordings.length < 2;
const [first] = table.order;
if (first) {
  table.select(first);
  detail.show(first);
}

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, select")) return;
  if (key === " " && target.matches("button, a")) return;
  if (detail.key(event)) event.preventDefault();
});
