// Samples as lines of charts.
import type { Sample } from "../api/v1.ts";

/** How fast a sum grew between one sample and the next, per millisecond; the first has no rate. Samples that lie very close
 * are taken together, since a clock's grain would show as a spike. */
export function rates(samples: readonly Sample[], sum: (sample: Sample) => number | null | undefined): (number | null)[] {
  let before: { at: number; value: number } | undefined;
  return samples.map((sample) => {
    const value = sum(sample);
    if (value == null) return null;
    const last = before;
    if (!last) {
      before = { at: sample.wall_ms, value };
      return null;
    }
    const elapsed = sample.wall_ms - last.at;
    if (elapsed < 20) return null;
    before = { at: sample.wall_ms, value };
    return Math.max(0, value - last.value) / elapsed;
  });
}

export const limitLine = (length: number, value: number): number[] => new Array<number>(length).fill(value);
