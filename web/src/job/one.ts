import { useEffect, useMemo } from "preact/hooks";
import { call } from "../api/client.ts";
import { useReloads } from "../api/every.ts";
import { useResource, type Resource } from "../api/resource.ts";
import type { Job } from "../api/v1.ts";
import { watch, type Watch } from "./watch.ts";

/** A job, and what happens to it. While it waits, what it waits for changes without an event of its own: it is read again each `waitingMs`. */
export function useJob(id: string, waitingMs: number): { job: Resource<Job>; seen: Watch } {
  const job = useResource(id, (signal) => call("GET /v1/jobs/{id}", { path: { id }, signal }));
  const seen = useMemo(() => watch(id, job.reload), [id]);
  useEffect(() => seen.stop, [seen]);
  useReloads(job, job.value.value?.state === "queued" ? waitingMs : undefined);
  return { job, seen };
}
