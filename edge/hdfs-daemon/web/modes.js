// The dialog for mode bits, owner and group.

import { h } from "./dom.js";
import { count, permission } from "./format.js";
import { setOwner, setPermission } from "./files.js";
import { ask } from "./frame.js";

const WHO = ["Owner", "Group", "Others"];
const WHAT = ["Read", "Write", "Execute"];

/** Asks for permission and owner of `entries` and changes what differs; `pathOf` gives their paths. */
export function askPermission(entries, pathOf, done) {
  const [first] = entries;
  const octal = h("input", { id: "octal", class: "octal", value: first.permission.padStart(3, "0"), pattern: "[01]?[0-7]{3}", inputmode: "numeric", maxlength: "4", "aria-label": "Octal", on: { input: () => fromOctal() } });
  const shown = h("code", {});
  const boxes = WHO.map((who, row) => WHAT.map((what, column) => h("input", { type: "checkbox", "aria-label": `${who}: ${what}`, on: { change: () => fromBoxes() } })));
  const sticky = h("input", { type: "checkbox", on: { change: () => fromBoxes() } });
  const owner = h("input", { id: "owner", value: first.owner, spellcheck: "false" });
  const group = h("input", { id: "group", value: first.group, spellcheck: "false" });
  const show = () => { shown.textContent = permission(octal.value, first.type); };
  const fromOctal = () => {
    const mode = parseInt(octal.value, 8);
    boxes.flat().forEach((box, bit) => { box.checked = Boolean(mode & (0o400 >> bit)); });
    sticky.checked = Boolean(mode & 0o1000);
    show();
  };
  const fromBoxes = () => {
    const mode = boxes.flat().reduce((sum, box, bit) => (box.checked ? sum | (0o400 >> bit) : sum), sticky.checked ? 0o1000 : 0);
    octal.value = mode.toString(8).padStart(3, "0");
    show();
  };
  fromOctal();
  const grid = h("table", { class: "modes" },
    h("thead", {}, h("tr", {}, h("td", {}), WHAT.map((what) => h("th", { scope: "col" }, what)))),
    h("tbody", {}, WHO.map((who, row) => h("tr", {}, h("th", { scope: "row" }, who), boxes[row].map((box) => h("td", {}, box))))));
  const field = (label, input) => h("div", { class: "field" }, h("label", { for: input.id }, label), input);
  const content = [
    grid,
    h("label", { class: "check" }, sticky, h("span", {}, "Sticky", h("small", {}, "In a folder, only owners delete or rename what is in it."))),
    h("div", { class: "row-form" }, field("Octal", octal), h("div", { class: "field shown" }, shown)),
    h("div", { class: "row-form" }, field("Owner", owner), field("Group", group)),
  ];
  return ask({
    title: entries.length === 1 ? `Permission of ${first.pathSuffix || pathOf(first)}` : `Permission of ${count(entries.length, "entry", "entries")}`,
    action: "Change", content,
    run: async () => {
      for (const entry of entries) {
        const path = pathOf(entry);
        if (parseInt(octal.value, 8) !== parseInt(entry.permission, 8)) await setPermission(path, octal.value);
        const newOwner = owner.value === entry.owner ? "" : owner.value.trim();
        const newGroup = group.value === entry.group ? "" : group.value.trim();
        if (newOwner || newGroup) await setOwner(path, newOwner, newGroup);
      }
      await done();
    },
  });
}
