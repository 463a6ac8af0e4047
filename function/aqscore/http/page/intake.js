// Files from the pickers, a drop (with folders) or the clipboard, as [{name, file}].

const RECORDING =
  /\.(3gp|aac|aifc?|aiff|amr|au|awb|caf|flac|gsm|m4[ab]|mka|mkv|mov|mp[34]|oga|ogg|opus|rf64|snd|w64|wave?|weba|webm)$/i;

// Files that were named one by one are all taken; from folders, recordings only.
export function chosenFiles(list) {
  const skipped = new Skipped();
  const files = [...list].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
  return {
    files: files.filter(({ name, file }) => !file.webkitRelativePath || skipped.admits(name)),
    skipped,
  };
}

// Reads folders to the end. `progress` is called with the number of files found so far.
export async function droppedFiles(transfer, progress) {
  const entries = [...(transfer.items ?? [])].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return chosenFiles(transfer.files);
  const files = [],
    skipped = new Skipped();
  for (const entry of entries) await collect(entry, false, files, skipped, progress);
  return { files, skipped };
}

async function collect(entry, inFolder, files, skipped, progress) {
  if (entry.isFile) {
    if (inFolder && !skipped.admits(entry.name)) return;
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    files.push({ name: entry.fullPath.replace(/^\//, ""), file });
    progress(files.length);
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // at most a hundred entries come at once
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const each of some.sort((a, b) => (a.name < b.name ? -1 : 1)))
      await collect(each, true, files, skipped, progress);
  }
}

class Skipped {
  #counts = new Map();

  admits(name) {
    const base = name.split("/").pop();
    if (RECORDING.test(base) && !base.startsWith(".")) return true;
    const suffix = base.startsWith(".")
      ? "hidden"
      : base.includes(".")
        ? base.slice(base.lastIndexOf(".")).toLowerCase()
        : "no suffix";
    this.#counts.set(suffix, (this.#counts.get(suffix) ?? 0) + 1);
    return false;
  }

  // "3 files skipped: .txt 2, .pdf 1", or nothing.
  toString() {
    const total = [...this.#counts.values()].reduce((sum, n) => sum + n, 0);
    const each = [...this.#counts].sort((a, b) => b[1] - a[1]).map(([suffix, n]) => `${suffix} ${n}`);
    return total ? `${total} ${total === 1 ? "file" : "files"} skipped: ${each.join(", ")}.` : "";
  }
}
