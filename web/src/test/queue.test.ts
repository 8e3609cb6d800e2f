import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job, Queue, QueuedJob } from "../api/v1.ts";
import { rowsOf, unexplained } from "../job/queue.ts";

const waits = (id: string, held?: boolean): Job => ({ id, state: "queued", ...(held && { waiting: { held, why: "held for approval" } }) }) as Job;
const next = (id: string, position: number): QueuedJob => ({ id, position, why: "it is next" }) as QueuedJob;
const queue = (...ids: string[]): Queue => ({ next: ids.map(next) }) as Queue;

test("only jobs of which nobody said why they wait are asked about, and few of them", () => {
  const rows = rowsOf(queue("a", "b"), [waits("held", true), waits("large"), waits("a")]);
  assert.deepEqual(rows.map((row) => [row.job.id, row.position, row.waiting?.why]), [["held", undefined, "held for approval"], ["large", undefined, undefined], ["a", 0, "it is next"], ["b", 1, "it is next"]]);
  assert.deepEqual(unexplained(rows), ["large"]);
  assert.equal(unexplained(rowsOf(queue(), Array.from({ length: 200 }, (_, at) => waits(`${at}`)))).length, 12);
});

test("behind a long queue a job is not taken for one that cannot start, and a held one is shown", () => {
  const long = queue(...Array.from({ length: 200 }, (_, at) => `next ${at}`));
  assert.deepEqual(rowsOf(long, [waits("late"), waits("held", true)]).slice(0, 2).map((row) => row.job.id), ["held", "next 0"]);
});
