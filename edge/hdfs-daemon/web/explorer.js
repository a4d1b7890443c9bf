// The file browser: explorer.html#/path.

import { encodePath, isCancelled, webhdfsUrl } from "./api.js";
import { showDetails } from "./details.js";
import { fill, h, icon, update } from "./dom.js";
import * as files from "./files.js";
import { count, number } from "./format.js";
import { ask, empty, problem, say, sayError, shortcut } from "./frame.js";
import { askPermission } from "./modes.js";
import { Listing } from "./listing.js";
import { Uploads, droppedFiles } from "./uploads.js";

/** So many entries are held at most; a folder with more is reached by names, not by scrolling. */
const MAX_LOADED = 500_000;

/** The address of a path in this browser. */
export function explorerHref(path) {
  return `/explorer.html#${encodePath(path)}`;
}

/** The path in the address, always absolute and without a slash at its end. */
function pathInAddress() {
  const raw = location.hash.slice(1);
  let path = raw;
  try {
    path = decodeURIComponent(raw);
  } catch {
    // Typed by hand with a percent sign of its own.
  }
  return `/${path.split("/").filter(Boolean).join("/")}`;
}

class Explorer {
  constructor(main) {
    this.main = main;
    this.sort = { by: "name", descending: false };
    this.filter = "";
    this.listing = new Listing({
      open: (entry) => this.open(entry),
      href: (entry) => (entry.type === "DIRECTORY" ? explorerHref(files.join(this.path, entry.pathSuffix)) : webhdfsUrl(files.join(this.path, entry.pathSuffix), "OPEN")),
      sort: (by) => this.sortBy(by),
      nearEnd: () => this.loadMore(),
      changed: () => this.drawTools(),
      end: () => this.loadAll().then(() => this.listing.move(this.listing.rows.length - 1)),
    });
    this.uploads = new Uploads((folder) => folder === this.path && this.reload());
    this.crumbs = h("nav", { class: "crumbs", "aria-label": "Path" });
    this.search = h("input", { type: "search", placeholder: "Filter names", "aria-label": "Filter names", on: { input: () => this.filterBy(this.search.value) } });
    this.tools = h("div", { class: "tools" });
    this.status = h("div", { class: "list-status muted", role: "status" });
    this.notice = h("div", {});
    this.picker = h("input", { type: "file", multiple: true, hidden: true, id: "picker", "aria-label": "Files to upload", on: { change: () => this.pick() } });
    this.area = h("div", { class: "browser" }, this.listing.root, this.notice);
    fill(main, h("h1", { class: "sr-only" }, "Files"), this.crumbs, this.tools, this.area, this.status, this.picker, this.uploads.root);
    this.acceptDrops();
  }

  /** Shows the folder in the address; for a file, its folder and its details. */
  async go({ focus = true } = {}) {
    const before = this.path;
    this.path = pathInAddress();
    this.filter = "";
    this.search.value = "";
    this.listing.reset();
    await this.reload();
    if (before && files.parent(before) === this.path) this.listing.activate(files.base(before));
    if (focus && !document.querySelector("dialog[open]")) this.listing.root.focus({ preventScroll: true });
  }

  async reload() {
    this.loading?.abort();
    const loading = new AbortController();
    this.loading = loading;
    this.entries = [];
    this.remaining = 0;
    this.drawCrumbs();
    this.drawTools();
    fill(this.notice);
    fill(this.status, "Loading…");
    try {
      const { entries, remaining } = await files.listBatch(this.path, undefined, loading.signal);
      if (entries.length === 1 && entries[0].pathSuffix === "") return this.showFile(entries[0]);
      Object.assign(this, { entries, remaining });
      if (this.needsAll()) return await this.loadAll();
      this.draw();
    } catch (error) {
      if (isCancelled(error)) return undefined;
      this.listing.root.hidden = true;
      fill(this.status);
      fill(this.notice, problem(error, () => this.reload()));
    }
    return undefined;
  }

  /** The address was of a file. */
  showFile(entry) {
    const path = this.path;
    history.replaceState(null, "", explorerHref(files.parent(path)));
    this.path = files.parent(path);
    this.details({ ...entry, pathSuffix: files.base(path) });
    return this.reload();
  }

  /** Fetches the next entries, when the list's end is near. */
  async loadMore() {
    if (!this.remaining || this.fetching || this.entries.length >= MAX_LOADED) return;
    this.fetching = true;
    const { loading } = this;
    try {
      const last = this.entries.at(-1).pathSuffix;
      const { entries, remaining } = await files.listBatch(this.path, last, loading.signal);
      if (loading !== this.loading) return;
      this.entries.push(...entries);
      this.remaining = entries.length ? remaining : 0;
    } finally {
      this.fetching = false;
    }
    this.draw();
  }

  needsAll() {
    return this.remaining > 0 && (this.filter !== "" || this.sort.by !== "name" || this.sort.descending);
  }

  /** Fetches everything: what sorting and filtering need. */
  async loadAll() {
    if (this.gathering) return this.gathering;
    this.gathering = (async () => {
      const { loading } = this;
      try {
        while (this.remaining > 0 && this.entries.length < MAX_LOADED && loading === this.loading) {
          const { entries, remaining } = await files.listBatch(this.path, this.entries.at(-1)?.pathSuffix, loading.signal);
          if (loading !== this.loading) return;
          this.entries.push(...entries);
          this.remaining = entries.length ? remaining : 0;
          fill(this.status, `Loading: ${number(this.entries.length)} of ${number(this.entries.length + this.remaining)}…`);
        }
      } catch (error) {
        sayError(error, "The rest of the folder is not loaded");
      } finally {
        this.gathering = undefined;
      }
      if (loading === this.loading) this.draw();
    })();
    return this.gathering;
  }

  sortBy(by) {
    this.sort = { by, descending: this.sort.by === by ? !this.sort.descending : by !== "name" && by !== "owner" };
    return this.needsAll() ? this.loadAll() : this.draw();
  }

  filterBy(text) {
    this.filter = text.toLowerCase();
    this.listing.view.scrollTop = 0;
    return this.needsAll() ? this.loadAll() : this.draw();
  }

  draw() {
    const rows = this.visible();
    const total = this.entries.length + this.remaining;
    this.listing.root.hidden = rows.length === 0;
    this.listing.show(rows, { sortBy: this.sort.by, descending: this.sort.descending, total });
    if (rows.length) fill(this.notice);
    else if (this.filter) fill(this.notice, empty(`No name contains “${this.filter}”.`));
    else fill(this.notice, empty("This folder is empty.", "Drop files here, or use Upload."));
    this.drawTools();
    this.drawStatus(rows.length, total);
  }

  /** The entries in the order and the selection that the reader wants. */
  visible() {
    const found = this.filter ? this.entries.filter((of) => of.pathSuffix.toLowerCase().includes(this.filter)) : this.entries;
    const { by, descending } = this.sort;
    if (by === "name") return descending ? [...found].reverse() : found;
    const value = by === "permission" ? (of) => parseInt(of.permission, 8) : by === "owner" ? (of) => `${of.owner}:${of.group}` : (of) => of[by];
    const order = descending ? -1 : 1;
    return [...found].sort((a, b) => (value(a) < value(b) ? -order : value(a) > value(b) ? order : 0));
  }

  drawStatus(shown, total) {
    const more = this.remaining > 0;
    const text = this.filter ? `${number(shown)} of ${count(total, "entry", "entries")}` : count(total, "entry", "entries");
    const loaded = more && `, ${number(this.entries.length)} loaded`;
    const limit = more && this.entries.length >= MAX_LOADED && ". The rest is not shown: type the path of what you look for.";
    const all = more && !limit && h("button", { on: { click: () => this.loadAll() } }, "Load all");
    fill(this.status, text, loaded, limit, " ", all);
  }

  drawCrumbs() {
    const parts = this.path.split("/").filter(Boolean);
    const link = (name, index) => {
      const path = `/${parts.slice(0, index + 1).join("/")}`;
      const last = index === parts.length - 1;
      return [h("span", { class: "slash", "aria-hidden": "true" }, "/"), h("a", { href: explorerHref(path), "aria-current": last ? "page" : undefined }, name)];
    };
    update(this.crumbs, h("a", { href: explorerHref("/"), "aria-label": "Root folder", "aria-current": parts.length ? undefined : "page" }, "/"), parts.map((name, index) => link(name, index).slice(index ? 0 : 1)), h("button", { class: "tool", title: "Go to a path (p)", "aria-label": "Go to a path", on: { click: () => this.goTo() } }, icon("edit")));
  }

  drawTools() {
    const chosen = this.listing.selected.size ? this.listing.chosen() : [];
    const button = (name, label, run, more = {}) => h("button", { ...more, on: { click: run } }, icon(name), h("span", {}, label));
    const general = [
      button("up", "Up", () => this.up(), { disabled: this.path === "/" }),
      button("upload", "Upload", () => this.picker.click(), { class: "primary" }),
      button("plus", "New folder", () => this.newFolder()),
      button("refresh", "Reload", () => this.reload()),
      button("info", "Folder", () => this.folderDetails()),
    ];
    const files = chosen.filter((of) => of.type === "FILE");
    const forChosen = [
      h("b", { role: "status" }, `${number(chosen.length)} selected`),
      chosen.length === 1 && button("info", "Details", () => this.details(chosen[0])),
      files.length > 0 && button("download", "Download", () => this.download(files)),
      chosen.length === 1 && button("edit", "Rename", () => this.rename()),
      button("user", "Permission", () => this.permission()),
      files.length > 0 && button("plus", "Replicas", () => this.replication()),
      button("trash", "Delete", () => this.delete()),
      h("button", { "aria-label": "Clear the selection", title: "Clear the selection", on: { click: () => this.listing.clearSelection() } }, icon("close")),
    ];
    update(this.tools, h("div", { class: "tool-row", key: chosen.length ? "chosen" : "general" }, chosen.length ? forChosen : general), h("div", { class: "tool-search", key: "search", "data-keep": true }, this.search));
    if (!this.search.isConnected) this.tools.querySelector(".tool-search")?.append(this.search);
  }

  up() {
    if (this.path !== "/") location.hash = encodePath(files.parent(this.path));
  }

  open(entry) {
    if (entry.type === "DIRECTORY") location.hash = encodePath(files.join(this.path, entry.pathSuffix));
    else this.details(entry);
  }

  details(entry) {
    showDetails(files.join(this.path, entry.pathSuffix), entry, { changed: () => this.reload(), download: () => this.download([entry]) });
  }

  async folderDetails() {
    try {
      const status = await files.statusOrNone(this.path);
      if (status) showDetails(this.path, status, { changed: () => this.reload() });
    } catch (error) {
      sayError(error);
    }
  }

  async goTo() {
    const answer = await ask({ title: "Go to a path", fields: [{ name: "path", label: "Path", value: this.path, attributes: { spellcheck: "false" } }], action: "Go" });
    if (answer) location.hash = encodePath(`/${answer.path.split("/").filter(Boolean).join("/")}`);
  }

  /** Lets the browser fetch them: WebHDFS sends it to a DataNode. */
  download(entries) {
    entries.forEach((entry, index) => setTimeout(() => {
      const link = h("a", { href: webhdfsUrl(files.join(this.path, entry.pathSuffix), "OPEN"), download: entry.pathSuffix });
      link.click();
    }, index * 400));
  }

  newFolder() {
    return ask({
      title: "New folder", action: "Make it",
      fields: [{ name: "name", label: `Name in ${this.path}`, note: "With slashes, folders in folders.", attributes: { required: true, spellcheck: "false" } }],
      run: async ({ name }) => {
        await files.makeFolder(files.join(this.path, name));
        await this.reload();
        this.listing.activate(name.split("/")[0]);
      },
    });
  }

  rename() {
    const [entry] = this.listing.chosen();
    if (!entry) return undefined;
    const from = files.join(this.path, entry.pathSuffix);
    return ask({
      title: `Rename or move ${entry.pathSuffix}`, action: "Rename",
      fields: [{ name: "to", label: "New name, or path of another folder's", value: entry.pathSuffix, attributes: { required: true, spellcheck: "false" } }],
      run: async ({ to }) => {
        await files.rename(from, to.startsWith("/") ? to : files.join(this.path, to));
        await this.afterChange();
        this.listing.activate(to);
      },
    });
  }

  async delete() {
    const chosen = this.listing.chosen();
    if (!chosen.length) return;
    let trash = false;
    try {
      trash = await files.hasTrash();
    } catch (error) {
      sayError(error, "Whether there is a trash is not known");
      return;
    }
    const names = chosen.slice(0, 5).map((of) => of.pathSuffix).join(", ");
    const what = chosen.length > 5 ? `${names} and ${number(chosen.length - 5)} more` : names;
    const folders = chosen.some((of) => of.type === "DIRECTORY");
    await ask({
      title: `Delete ${count(chosen.length, "entry", "entries")}?`, action: "Delete", danger: true,
      text: `${what}${folders ? ". Folders go with everything in them." : ""}`,
      fields: trash ? [{ name: "forGood", type: "checkbox", label: "Delete for good", note: "Otherwise they go to your trash and can be taken back from there." }] : [],
      run: async ({ forGood }) => {
        for (const entry of chosen) {
          const path = files.join(this.path, entry.pathSuffix);
          if (trash && !forGood) await files.moveToTrash(path);
          else await files.remove(path);
        }
        say(trash && !forGood ? `${count(chosen.length, "entry", "entries")} moved to the trash` : `${count(chosen.length, "entry", "entries")} deleted`);
        await this.afterChange();
      },
    });
  }

  permission() {
    const chosen = this.listing.chosen();
    if (!chosen.length) return undefined;
    return askPermission(chosen, (entry) => files.join(this.path, entry.pathSuffix), () => this.afterChange());
  }

  replication() {
    const chosen = this.listing.chosen().filter((of) => of.type === "FILE");
    if (!chosen.length) return undefined;
    return ask({
      title: `Replicas of ${count(chosen.length, "file")}`, action: "Change",
      text: "The NameNode copies or deletes replicas in the background.",
      fields: [{ name: "replication", label: "Replicas", type: "number", value: String(chosen[0].replication), attributes: { min: "1", max: "512", required: true } }],
      run: async ({ replication }) => {
        for (const entry of chosen) await files.setReplication(files.join(this.path, entry.pathSuffix), replication);
        await this.afterChange();
      },
    });
  }

  async afterChange() {
    this.listing.selected.clear();
    await this.reload();
    this.listing.root.focus({ preventScroll: true });
  }

  pick() {
    const chosen = [...this.picker.files].map((file) => ({ file, name: file.name }));
    this.picker.value = "";
    this.upload(chosen);
  }

  upload(list) {
    if (!list.length) return undefined;
    const known = this.remaining === 0 && !this.loading?.signal.aborted ? new Set(this.entries.map((of) => of.pathSuffix)) : undefined;
    return this.uploads.add(this.path, list, known).catch((error) => sayError(error, "Upload"));
  }

  acceptDrops() {
    let inside = 0;
    const mark = (on) => this.area.classList.toggle("dropping", on);
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    this.main.addEventListener("dragenter", (event) => { if (hasFiles(event)) { inside += 1; mark(true); } });
    this.main.addEventListener("dragleave", () => { inside = Math.max(0, inside - 1); mark(inside > 0); });
    this.main.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
    this.main.addEventListener("drop", async (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      inside = 0;
      mark(false);
      this.upload(await droppedFiles(event.dataTransfer));
    });
  }
}

/** Shows the browser in `main`. */
export function explorerPage(main) {
  const explorer = new Explorer(main);
  shortcut("Backspace", "Go to the folder above", () => explorer.up());
  shortcut("p", "Go to a path", () => explorer.goTo());
  shortcut("r", "Reload", () => explorer.reload());
  shortcut("n", "New folder", () => explorer.newFolder());
  shortcut("a", "Upload files", () => explorer.picker.click());
  shortcut("i", "Details of the active entry", () => explorer.listing.chosen()[0] && explorer.details(explorer.listing.chosen()[0]));
  shortcut("F2", "Rename or move", () => explorer.rename());
  shortcut("m", "Permission and owner", () => explorer.permission());
  shortcut("Delete", "Delete", () => explorer.delete());
  shortcut("Enter", "Open the active entry (in the list; arrows move, Space selects)", () => explorer.listing.root.focus());
  addEventListener("hashchange", () => explorer.go());
  explorer.go({ focus: true });
  return () => {};
}
