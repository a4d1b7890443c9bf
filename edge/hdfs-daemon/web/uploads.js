// Uploads: a queue that shows how far each file is. A file that exists is replaced only after a question.

import { isCancelled, write } from "./api.js";
import { h, icon, update } from "./dom.js";
import { join, makeFolder, parent, statusOrNone } from "./files.js";
import { bytes, count, percent } from "./format.js";
import { ask, say } from "./frame.js";

/** Files on their way at once. */
const AT_ONCE = 2;

export class Uploads {
  /** `onDone(folder)` is called when a file has arrived there. */
  constructor(onDone) {
    this.onDone = onDone;
    this.items = [];
    this.root = h("section", { class: "uploads", "aria-label": "Uploads", hidden: true });
    addEventListener("beforeunload", (event) => this.items.some(isOpen) && event.preventDefault());
  }

  /** Queues files (`{file, name}`; names may hold slashes) for a folder; `known` are all its names, if they are known. */
  async add(folder, list, known) {
    const targets = list.map(({ file, name }) => ({ file, path: join(folder, name), folder, sent: 0, state: "waiting", abort: new AbortController() }));
    const existing = [];
    for (const target of targets) {
      const [first] = target.path.slice(folder.length).split("/").filter(Boolean);
      const isNew = known && !known.has(first);
      if (!isNew && (await statusOrNone(target.path))) existing.push(target);
    }
    if (existing.length) {
      const names = existing.slice(0, 5).map((of) => of.path).join(", ");
      const answer = await ask({
        title: existing.length === 1 ? "Replace the file?" : `Replace ${count(existing.length, "file")}?`, action: "Replace", danger: true,
        text: `${names}${existing.length > 5 ? " and others exist" : existing.length > 1 ? " exist" : " exists"} already. The old content is lost.`,
      });
      existing.forEach((of) => { of.overwrite = Boolean(answer); });
    }
    const wanted = targets.filter((of) => of.overwrite !== false);
    await this.makeFolders(folder, wanted);
    this.items.push(...wanted);
    this.draw();
    this.next();
  }

  async makeFolders(folder, targets) {
    const folders = new Set(targets.map((of) => parent(of.path)).filter((of) => of !== folder));
    for (const path of folders) await makeFolder(path);
  }

  next() {
    const running = this.items.filter((of) => of.state === "sending").length;
    this.items.filter((of) => of.state === "waiting").slice(0, Math.max(0, AT_ONCE - running)).forEach((of) => this.send(of));
  }

  async send(item) {
    item.state = "sending";
    item.began = performance.now();
    const onProgress = (sent) => {
      item.sent = sent;
      this.later();
    };
    try {
      await write(item.path, item.file, { overwrite: Boolean(item.overwrite), signal: item.abort.signal, onProgress });
      Object.assign(item, { state: "done", sent: item.file.size });
    } catch (error) {
      Object.assign(item, isCancelled(error) ? { state: "cancelled" } : { state: "failed", error });
    }
    item.took = (performance.now() - item.began) / 1000;
    this.draw();
    this.next();
    if (item.state === "done") this.finished(item);
  }

  finished({ folder }) {
    if (this.items.some((of) => isOpen(of) && of.folder === folder)) return;
    const done = this.items.filter((of) => of.state === "done" && of.folder === folder).length;
    say(`${count(done, "file")} uploaded to ${folder}`);
    this.onDone(folder);
  }

  cancel(item) {
    item.abort.abort();
    if (item.state === "waiting") item.state = "cancelled";
    this.draw();
  }

  later() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = undefined;
    this.root.hidden = this.items.length === 0;
    const open = this.items.filter(isOpen);
    const close = () => {
      this.items = open;
      this.draw();
    };
    update(this.root,
      h("header", { key: "head" }, h("h2", {}, open.length ? `Uploading ${count(open.length, "file")}` : "Uploads"), h("button", { class: "tool", "aria-label": "Forget finished uploads", disabled: open.length === this.items.length, on: { click: close } }, icon("close"))),
      h("ul", { key: "items" }, this.items.map((item, index) => this.row(item, index))));
  }

  row(item, index) {
    const size = item.file.size;
    const share = size ? item.sent / size : item.state === "done" ? 1 : 0;
    const seconds = item.took ?? (performance.now() - (item.began ?? performance.now())) / 1000;
    const speed = item.state === "sending" && seconds > 0.5 ? `, ${bytes(item.sent / seconds)}/s` : "";
    const texts = {
      waiting: "waiting",
      sending: share === 1 ? "closing the file" : `${percent(share, 1)} of ${bytes(size)}${speed}`,
      done: `${bytes(size)}, done`,
      cancelled: "cancelled",
      failed: `failed: ${item.error?.message ?? ""} ${item.error?.hint ?? ""}`,
    };
    return h("li", { key: `upload-${index}`, class: item.state },
      h("span", { class: "upload-name" }, item.path),
      h("div", { class: "progress", role: "progressbar", "aria-label": item.path, "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": String(Math.round(share * 100)) }, h("i", { style: { width: `${share * 100}%` } })),
      h("span", { class: item.state === "failed" ? "failed-text" : "muted" }, texts[item.state]),
      isOpen(item) && h("button", { class: "tool", "aria-label": `Cancel ${item.path}`, on: { click: () => this.cancel(item) } }, icon("close")));
  }
}

function isOpen({ state }) {
  return state === "waiting" || state === "sending";
}

/** The files of a drop, those in dropped folders too, with their paths. */
export async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((of) => of.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, name: file.name }));
  return (await Promise.all(entries.map((entry) => walk(entry, "")))).flat();
}

async function walk(entry, folder) {
  const name = folder + entry.name;
  if (entry.isFile) return [{ name, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) }];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    found.push(...some);
  }
  return (await Promise.all(found.map((of) => walk(of, `${name}/`)))).flat();
}
