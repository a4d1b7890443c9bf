// Plots as inline SVG: lines and stacked areas over time, and histograms. Sizes are real pixels, so text stays sharp.

import { clock, date } from "./format.js";
import { fill, h, svg } from "./dom.js";

const HEIGHT = 170;
const MARGIN = { left: 62, right: 12, top: 10, bottom: 24 };

/**
 * A plot over time that is drawn again with [`draw`] and keeps its place in the page.
 * `format` turns a value into text, `binary` chooses steps that are powers of two.
 */
export function timeChart({ title, format, binary = false, stacked = false }) {
  const plot = h("div", { class: "plot" });
  const legend = h("div", { class: "legend" });
  const root = h("figure", { class: "chart", key: `chart-${title}`, "data-keep": true }, h("figcaption", {}, h("span", {}, title), legend), plot);
  let state;
  const redraw = () => state && render(plot, legend, { ...state, title, format, binary, stacked });
  new ResizeObserver(redraw).observe(plot);
  /** Draws `series` (`{name, values, color}`) at `times`; the axis spans `from`–`to`. */
  const draw = (next) => {
    state = next;
    redraw();
  };
  return { root, draw };
}

function render(plot, legend, chart) {
  const width = Math.max(plot.clientWidth, 200);
  const { times, series, from, to, format } = chart;
  const levels = chart.stacked ? stack(series) : series.map((of) => of.values.map((value) => [0, value]));
  const top = Math.max(...levels.flat().map(([, value]) => value ?? 0), chart.least ?? 0);
  const ticks = scale(top, chart.binary);
  const x = (time) => MARGIN.left + ((time - from) / (to - from)) * (width - MARGIN.left - MARGIN.right);
  const y = (value) => HEIGHT - MARGIN.bottom - (value / ticks.at(-1)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const last = (of) => of.values.findLast((value) => value !== null);
  fill(legend, series.map((of) => h("span", {}, h("i", { class: `dot ${of.color}` }), of.name, h("b", {}, last(of) === undefined ? "–" : format(last(of))))));
  if (!times.length) {
    fill(plot, h("p", { class: "muted plot-empty" }, chart.note ?? "Samples begin to arrive within seconds."));
    return;
  }
  const marker = svg("g", { class: "marker" });
  const picture = svg("svg", { width, height: HEIGHT, role: "img", tabindex: "0", "aria-label": summary(chart, last) },
    ticks.map((tick) => [
      svg("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(tick), y2: y(tick) }),
      svg("text", { class: "axis", x: MARGIN.left - 8, y: y(tick) + 4, "text-anchor": "end" }, format(tick)),
    ]),
    timeTicks(from, to, width).map((time) => svg("text", { class: "axis", x: x(time), y: HEIGHT - 6, "text-anchor": "middle" }, clock(time))),
    levels.map((level, index) => curves(level, times, chart, x, y, series[index])),
    marker);
  const tip = h("div", { class: "tip", hidden: true });
  fill(plot, picture, tip);
  follow(picture, plot, tip, marker, { ...chart, x, y, levels, width });
}

function summary({ title, series, format }, last) {
  const parts = series.map((of) => `${of.name} ${last(of) === undefined ? "unknown" : format(last(of))}`);
  return `${title}: now ${parts.join(", ")}. Arrow keys read earlier values.`;
}

/** Values on top of each other, as [low, high]. */
function stack(series) {
  const sums = series[0].values.map(() => 0);
  return series.map((of) => of.values.map((value, at) => {
    if (value === null) return [0, null];
    const low = sums[at];
    sums[at] += value;
    return [low, sums[at]];
  }));
}

/** Lines (and areas) of one series, broken where samples are missing. */
function curves(level, times, chart, x, y, { color }) {
  const runs = [];
  level.forEach(([low, high], at) => {
    const gap = at === 0 || times[at] - times[at - 1] > chart.interval * 3;
    if (high === null) return;
    if (gap || level[at - 1][1] === null) runs.push([]);
    runs.at(-1).push([x(times[at]).toFixed(1), y(low).toFixed(1), y(high).toFixed(1)]);
  });
  const line = (points) => points.map(([px, py], index) => `${index ? "L" : "M"}${px} ${py}`).join("");
  return runs.map((run) => {
    const upper = run.map(([px, , high]) => [px, high]);
    const lower = run.map(([px, low]) => [px, low]).reverse();
    const dot = run.length === 1 && svg("circle", { class: `spot ${color}`, cx: upper[0][0], cy: upper[0][1], r: 2 });
    return [
      run.length > 1 && svg("path", { class: `area ${color}`, d: `${line(upper)}${line(lower).replace("M", "L")}Z` }),
      run.length > 1 && svg("path", { class: `line ${color}`, d: line(upper) }),
      dot,
    ];
  });
}

/** Shows the values under the pointer, or at the sample that the arrow keys chose. */
function follow(picture, plot, tip, marker, { times, series, levels, format, x, y, width }) {
  let shown = times.length - 1;
  const show = (at) => {
    shown = Math.min(Math.max(at, 0), times.length - 1);
    const px = x(times[shown]);
    const dots = levels.map((level, index) => level[shown][1] !== null && svg("circle", { class: `spot ${series[index].color}`, cx: px, cy: y(level[shown][1]), r: 3.5 }));
    fill(marker, svg("line", { class: "hair", x1: px, x2: px, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom }), dots);
    fill(tip, h("time", {}, date(times[shown])), series.map((of) => h("span", {}, h("i", { class: `dot ${of.color}` }), of.name, h("b", {}, of.values[shown] === null ? "–" : format(of.values[shown])))));
    tip.hidden = false;
    const left = px > width / 2 ? px - tip.offsetWidth - 12 : px + 12;
    tip.style.left = `${Math.max(0, Math.min(left, width - tip.offsetWidth))}px`;
  };
  const hide = () => {
    tip.hidden = true;
    fill(marker);
  };
  picture.addEventListener("pointermove", (event) => {
    const at = event.clientX - plot.getBoundingClientRect().left;
    const nearest = times.reduce((best, time, index) => (Math.abs(x(time) - at) < Math.abs(x(times[best]) - at) ? index : best), 0);
    show(nearest);
  });
  picture.addEventListener("pointerleave", hide);
  picture.addEventListener("blur", hide);
  picture.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -times.length, End: times.length }[event.key];
    if (!step) return;
    event.preventDefault();
    show(shown + step);
    picture.setAttribute("aria-label", tip.innerText.replaceAll("\n", ", "));
  });
}

/** Three to five round values from 0 to `top`. */
function scale(top, binary) {
  if (!(top > 0)) return [0, 1];
  const rough = top / 4;
  const base = binary ? 1024 ** Math.floor(Math.log(Math.max(rough, 1)) / Math.log(1024)) : 1;
  const power = 10 ** Math.floor(Math.log10(rough / base));
  const steps = binary && rough / base >= 100 ? [128, 256, 512, 1024].map((of) => of / power) : [1, 2, 2.5, 5, 10];
  const step = steps.find((of) => of * power * base >= rough) * power * base;
  return Array.from({ length: Math.ceil(top / step) + 1 }, (_, index) => index * step);
}

function timeTicks(from, to, width) {
  const minute = 60_000;
  const wanted = (to - from) / Math.max(2, Math.floor(width / 110));
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720].map((of) => of * minute).find((of) => of >= wanted) ?? 1440 * minute;
  const zone = new Date(from).getTimezoneOffset() * minute;
  const ticks = [];
  for (let time = Math.ceil((from - zone) / step) * step + zone; time <= to - step / 8; time += step) if (time >= from + step / 8) ticks.push(time);
  return ticks;
}

/** Counts per bucket as bars; `labels` name the buckets. */
export function histogram({ title, counts, labels, unit }) {
  const [width, height, gap] = [440, 130, 6];
  const top = Math.max(...counts, 1);
  const step = width / counts.length;
  const bar = (count, index) => {
    const size = (count / top) * (height - 40);
    const middle = index * step + step / 2;
    return [
      svg("rect", { class: count ? "bar" : "bar none", x: index * step + gap / 2, y: height - 20 - Math.max(size, 2), width: step - gap, height: Math.max(size, 2), rx: 2 }),
      count > 0 && svg("text", { class: "axis strong", x: middle, y: height - 26 - size, "text-anchor": "middle" }, count),
      svg("text", { class: "axis", x: middle, y: height - 4, "text-anchor": "middle" }, labels[index]),
    ];
  };
  const text = counts.map((count, index) => count && `${count} ${unit} at ${labels[index]}`).filter(Boolean).join(", ");
  return svg("svg", { class: "histogram", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}: ${text || "none"}` }, counts.map(bar));
}

/** A bar of parts of one whole: `[name, value, color]`. */
export function shareBar(parts, whole, label) {
  return h("div", { class: "share", role: "img", "aria-label": label },
    parts.map(([, value, color]) => h("i", { class: color, style: { width: `${whole > 0 ? Math.min(100, (value * 100) / whole) : 0}%` } })));
}
