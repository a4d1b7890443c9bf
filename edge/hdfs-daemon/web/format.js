// Numbers, sizes, times and permissions as text.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
const NUMBER = new Intl.NumberFormat("en-US");

/** `12.3 GiB`: three digits at most. */
export function bytes(count) {
  if (!Number.isFinite(count)) return "–";
  let [value, unit] = [count, 0];
  while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
  const digits = unit === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${trimZeros(value.toFixed(digits))} ${UNITS[unit]}`;
}

function trimZeros(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** `1,234,567`. */
export function number(value) {
  return Number.isFinite(value) ? NUMBER.format(value) : "–";
}

/** A rate or mean: three digits that matter. */
export function decimal(value) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  if (Math.abs(value) >= 100) return NUMBER.format(Math.round(value));
  return trimZeros(value.toFixed(Math.abs(value) >= 10 ? 1 : 2));
}

/** `34.5 %` of a whole, or a dash without one. */
export function percent(part, whole = 100) {
  if (!Number.isFinite(part) || !(whole > 0)) return "–";
  const value = (part * 100) / whole;
  if (value > 0 && value < 0.01) return "< 0.01 %";
  return `${trimZeros(value.toFixed(value >= 10 ? 1 : 2))} %`;
}

/** A length of time, from seconds: `3 d 4 h`, `12 s`, `340 ms`. */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${trimZeros(seconds.toFixed(1))} s`;
  const whole = Math.floor(seconds);
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = parts.findIndex(([size]) => whole >= size);
  const [size, unit] = parts[first];
  const rest = parts[first + 1] && Math.floor((whole % size) / parts[first + 1][0]);
  return `${Math.floor(whole / size)} ${unit}${rest ? ` ${rest} ${parts[first + 1][1]}` : ""}`;
}

const two = (value) => String(value).padStart(2, "0");

/** `2026-11-21 12:34:56` in the reader's time zone. */
export function date(millis) {
  if (!(millis > 0)) return "–";
  const of = new Date(millis);
  return `${of.getFullYear()}-${two(of.getMonth() + 1)}-${two(of.getDate())} ${clock(millis, true)}`;
}

/** `12:34`, or with seconds. */
export function clock(millis, withSeconds = false) {
  const of = new Date(millis);
  return `${two(of.getHours())}:${two(of.getMinutes())}${withSeconds ? `:${two(of.getSeconds())}` : ""}`;
}

/** `5 min 3 s ago`. */
export function ago(millis) {
  if (!(millis > 0)) return "never";
  return since(Math.floor((Date.now() - millis) / 1000));
}

/** `3 s ago`, from seconds (or their text). */
export function since(seconds) {
  return Number(seconds) < 1 ? "now" : `${duration(Number(seconds))} ago`;
}

/** `drwxr-xr-x` (and `+` with an ACL) of WebHDFS' octal text. */
export function permission(octal, type, hasAcl) {
  const mode = parseInt(octal, 8);
  if (!Number.isFinite(mode)) return "–";
  const letters = [..."rwxrwxrwx"].map((letter, bit) => (mode & (0o400 >> bit) ? letter : "-"));
  if (mode & 0o1000) letters[8] = mode & 1 ? "t" : "T";
  const kind = type === "DIRECTORY" ? "d" : type === "SYMLINK" ? "l" : "-";
  return kind + letters.join("") + (hasAcl ? "+" : "");
}

/** One or many: `1 file`, `2 files`. */
export function count(of, one, many = `${one}s`) {
  return `${number(of)} ${of === 1 ? one : many}`;
}
