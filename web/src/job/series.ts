// Samples as lines of charts.
import type { Sample } from "../api/v1.ts";

/** Counters have a grain: what lies closer together than this is taken together, or the grain shows as spikes. */
const WINDOW_MS = 1000;

/** How fast a sum grew lately, per millisecond, at each sample: over the last second, or since the sample before where that is
 * longer ago. */
export function rates(samples: readonly Sample[], sum: (sample: Sample) => number | null | undefined): (number | null)[] {
  let from = 0;
  return samples.map((sample, at) => {
    const value = sum(sample);
    while (from + 1 < at && (samples[from + 1]?.wall_ms ?? 0) <= sample.wall_ms - WINDOW_MS) from += 1;
    const before = samples[from];
    const base = before && sum(before);
    if (value == null || base == null || !before || at === 0) return null;
    const elapsed = sample.wall_ms - before.wall_ms;
    return elapsed < 20 ? null : Math.max(0, value - base) / elapsed;
  });
}

export const limitLine = (length: number, value: number): number[] => new Array<number>(length).fill(value);
