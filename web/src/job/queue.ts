// Who waits, in the expected order, and why.
import type { Job, JobId, Queue } from "../api/v1.ts";

/** So many jobs that cannot start are asked for their reasons one by one. */
const LOOKED_AT = 12;

type Named = Pick<Job, "id" | "entry" | "project_name" | "user_name" | "class" | "submitted_at">;
export type Reasons = { why?: string | null | undefined; expected_start_p50?: string | null | undefined; expected_start_p90?: string | null | undefined; held?: boolean };
export type Waits = { job: Named; position: number | undefined; waiting: Reasons | undefined };

/** The jobs in their order; those that are in no order come first: they wait for an approval, or cannot start as it is. */
export function rowsOf(queue: Queue | undefined, jobs: readonly Job[] | undefined): Waits[] {
  if (!queue) return [];
  const next = queue.next.map((one) => ({ job: one, position: one.position, waiting: one }));
  const inOrder = new Set(queue.next.map((one) => one.id));
  // Beyond those that the server looks ahead to, a job that is not among the next may simply be late.
  const others = (jobs ?? []).filter((job) => job.state === "queued" && !inOrder.has(job.id) && (job.waiting?.held || queue.next.length < 200));
  return [...others.map((job) => ({ job, position: undefined, waiting: job.waiting ?? undefined })), ...next];
}

/** The few of which neither the queue nor the list said why they wait: those that cannot start. */
export const unexplained = (rows: readonly Waits[]): JobId[] => rows.filter((row) => row.waiting?.why == null).slice(0, LOOKED_AT).map((row) => row.job.id);
