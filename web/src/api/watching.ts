// Types of what openapi/v1.json has not yet: from crates/api/src/watching.rs and event.rs. To be deleted once it has them.
import type { Content, Denial, Job, JobId, Outcome, OutputStream, ProjectId, Queue, Sample, Time, WhoAmI, WorkerId } from "./v1.ts";

export type Session = { who: WhoAmI; csrf: string; expires_at: Time };

export type Moment = {
  at: Time;
  queued: number;
  running: number;
  submitted: number;
  started: number;
  ended: number;
  failed: number;
  wait_p50_ms?: number | null;
  wait_p90_ms?: number | null;
  cpus_milli: number;
  memory_bytes: number;
  cpus_milli_most: number;
  memory_bytes_most: number;
};

export type History = { step_ms: number; moments: Moment[] };

export type Matter = {
  /** `error` or `warning`. */
  severity: string;
  kind: string;
  says: string;
  remedy: string;
  job?: JobId | null;
  project?: ProjectId | null;
  worker?: WorkerId | null;
};

export type AttentionList = { matters: Matter[] };

export type Change = { type: "job"; job: Job } | { type: "queue"; queue: Queue } | { type: "missed" };

/** What happened to a job, from `GET /v1/jobs/{id}/events`; a kind that is not known is passed over. */
export type JobEvent = { seq: number; at: Time; attempt: number } & (
  | { type: "queued" }
  | { type: "leased"; worker: WorkerId }
  | { type: "started" }
  | { type: "output"; stream: OutputStream; data: Content }
  | { type: "elided"; stream: OutputStream; bytes: number }
  | { type: "denied"; denial: Denial }
  | { type: "egress"; host: string; port: number; connections: number; up_bytes: number; down_bytes: number; ms: number }
  | ({ type: "sample" } & Sample)
  | { type: "requeued"; why: string }
  | { type: "cancel_requested" }
  | { type: "ended"; outcome: Outcome }
);

export interface Coming {
  "POST /v1/session": { path: undefined; query: undefined; body: { key: string }; answer: Session };
  "GET /v1/session": { path: undefined; query: undefined; body: undefined; answer: Session };
  "DELETE /v1/session": { path: undefined; query: undefined; body: undefined; answer: undefined };
  "GET /v1/history": { path: undefined; query: undefined; body: undefined; answer: History };
  "GET /v1/attention": { path: undefined; query: undefined; body: undefined; answer: AttentionList };
}
