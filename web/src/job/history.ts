// What the moments of the last quarter of an hour say together.
import type { History } from "../api/v1.ts";

const LATELY_MS = 15 * 60_000;

export type Overall = {
  wait_p50_ms: number | undefined;
  wait_p90_ms: number | undefined;
  ended: number;
  failed: number;
  ended_per_minute: number;
  failed_part: number | undefined;
};

/** The waiting times are those of the moments, weighted by how many started in each: good enough to see how it is. */
export function overall({ step_ms, moments }: History): Overall {
  const lately = moments.slice(-Math.max(1, Math.round(LATELY_MS / step_ms)));
  const sum = (pick: (at: number) => number) => lately.reduce((total, _, at) => total + pick(at), 0);
  const ended = sum((at) => lately[at]?.ended ?? 0);
  const failed = sum((at) => lately[at]?.failed ?? 0);
  const weighted = (pick: "wait_p50_ms" | "wait_p90_ms"): number | undefined => {
    let starts = 0;
    let total = 0;
    for (const moment of lately) {
      const wait = moment[pick];
      if (wait == null || moment.started === 0) continue;
      starts += moment.started;
      total += wait * moment.started;
    }
    return starts === 0 ? undefined : total / starts;
  };
  const minutes = (lately.length * step_ms) / 60_000;
  return {
    wait_p50_ms: weighted("wait_p50_ms"),
    wait_p90_ms: weighted("wait_p90_ms"),
    ended,
    failed,
    ended_per_minute: minutes === 0 ? 0 : ended / minutes,
    failed_part: ended === 0 ? undefined : failed / ended,
  };
}
