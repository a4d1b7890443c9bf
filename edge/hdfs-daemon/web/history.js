// The past of one daemon, as `/history` tells it: asked for once, then only for what is new.

import { Failure, json } from "./api.js";

/** Spans to choose from: the samples to use and the length in milliseconds. */
export const SPANS = {
  "15m": { label: "15 min", samples: "hour", length: 15 * 60_000 },
  "1h": { label: "1 hour", samples: "hour", length: 60 * 60_000 },
  "24h": { label: "24 hours", samples: "day", length: 24 * 60 * 60_000 },
};

/** The samples of one daemon; `base` is the origin of another one. */
export class Past {
  constructor(base = "") {
    this.base = base;
    this.kept = {};
    this.absent = false;
  }

  /** Fetches what is new for a span. A daemon that has no history (Apache's) is `absent`. */
  async load(span) {
    const { samples } = SPANS[span];
    const old = this.kept[samples] ?? { times: [], columns: new Map() };
    let fresh;
    try {
      fresh = await json(`${this.base}/history?span=${samples}&since=${old.times.at(-1) ?? 0}`);
    } catch (error) {
      if (!(error instanceof Failure) || error.status !== 404) throw error;
      this.absent = true;
      return;
    }
    const oldest = Date.now() - (samples === "day" ? SPANS["24h"] : SPANS["1h"]).length;
    const from = old.times.findIndex((time) => time >= oldest);
    const skip = from < 0 ? old.times.length : from;
    this.kept[samples] = {
      interval: fresh.interval,
      times: [...old.times.slice(skip), ...fresh.times],
      columns: new Map(fresh.columns.map((of) => [of.name, [...(old.columns.get(of.name)?.slice(skip) ?? []), ...of.values]])),
    };
  }

  /** The part of the samples that a span shows. */
  window(span) {
    const { samples, length } = SPANS[span];
    const { times = [], columns = new Map(), interval = 5_000 } = this.kept[samples] ?? {};
    const to = Date.now();
    const first = times.findIndex((time) => time >= to - length);
    const start = first < 0 ? times.length : first;
    return new Window({ times: times.slice(start), columns, start, from: to - length, to, interval });
  }
}

class Window {
  constructor(fields) {
    Object.assign(this, fields);
  }

  /** The values of a gauge. */
  gauge(name) {
    return this.columns.get(name)?.slice(this.start) ?? this.times.map(() => null);
  }

  /** What a counter grew by a second, from sample to sample; null where that is not known. */
  rate(name) {
    const values = this.gauge(name);
    return values.map((value, at) => {
      const seconds = (this.times[at] - this.times[at - 1]) / 1000;
      const grown = value - values[at - 1];
      return at > 0 && value !== null && grown >= 0 && seconds * 1000 < this.interval * 3 ? grown / seconds : null;
    });
  }

  /** How much one counter grew for each that another one grew. */
  mean(sum, count) {
    const [above, below] = [this.rate(sum), this.rate(count)];
    return above.map((value, at) => (value === null || !below[at] ? null : value / below[at]));
  }

  /** What every plot of this window shares. */
  axis() {
    return { times: this.times, from: this.from, to: this.to, interval: this.interval };
  }
}

/** The sum of several daemons' rates on the time line of the first; where one of them tells nothing, there is no sum. */
export function sumOfRates(windows, name) {
  const [first, ...others] = windows;
  const columns = others.map((window) => ({ window, values: window.rate(name) }));
  return first.rate(name).map((value, at) => columns.reduce((sum, { window, values }) => {
    const near = nearest(window.times, first.times[at], first.interval);
    return sum === null || near < 0 || values[near] === null ? null : sum + values[near];
  }, value));
}

/** The sample nearest to a moment, or -1 when none is as near as an interval. Times are in order. */
function nearest(times, moment, interval) {
  let [low, high] = [0, times.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < moment) low = middle + 1;
    else high = middle;
  }
  const candidates = [low - 1, low].filter((at) => at >= 0 && at < times.length);
  const best = candidates.sort((a, b) => Math.abs(times[a] - moment) - Math.abs(times[b] - moment))[0] ?? -1;
  return best >= 0 && Math.abs(times[best] - moment) <= interval ? best : -1;
}
