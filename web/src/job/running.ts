// The jobs that run now, with a trail of what each used lately.
import { signal } from "@preact/signals";
import { call } from "../api/client.ts";
import { onChange } from "../api/live.ts";
import { asProblem, type Problem } from "../api/problem.ts";
import type { Job } from "../api/v1.ts";

const MOST = 200;
const TRAIL = 60;

export type Trail = { cpus: number[]; memory: number[] };
type Kept = Trail & { at: number; cpu: number };

const NONE: Trail = { cpus: [], memory: [] };

export class RunningJobs {
  readonly jobs = signal<readonly Job[]>([]);
  readonly problem = signal<Problem | undefined>(undefined);
  readonly known = signal(false);
  readonly more = signal(false);
  readonly #trails = new Map<string, Kept>();
  readonly #fresh = new Map<string, Job>();
  #aborted = new AbortController();
  #busy = false;
  #timer = 0;

  start(): () => void {
    this.#aborted = new AbortController();
    void this.refresh();
    const stop = onChange((change) => {
      if (change.type === "missed") void this.refresh();
      if (change.type !== "job") return;
      this.#fresh.set(change.job.id, change.job);
      this.#timer ||= window.setTimeout(() => this.#apply(), 250);
    });
    return () => {
      stop();
      clearTimeout(this.#timer);
      this.#timer = 0;
      this.#aborted.abort();
      this.#busy = false;
    };
  }

  trailOf(id: string): Trail {
    return this.#trails.get(id) ?? NONE;
  }

  async refresh(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    const { signal } = this.#aborted;
    try {
      const [running, starting] = await Promise.all([call("GET /v1/jobs", { query: { state: "running", limit: MOST }, signal }), call("GET /v1/jobs", { query: { state: "starting", limit: MOST }, signal })]);
      if (signal.aborted) return;
      this.more.value = running.next != null || starting.next != null;
      this.#show([...starting.jobs, ...running.jobs]);
      this.problem.value = undefined;
      this.known.value = true;
    } catch (thrown) {
      if (!signal.aborted) this.problem.value = asProblem(thrown);
    } finally {
      if (!signal.aborted) this.#busy = false;
    }
  }

  #apply(): void {
    this.#timer = 0;
    const jobs = new Map(this.jobs.peek().map((job) => [job.id, job]));
    for (const [id, job] of this.#fresh) {
      if (job.state === "running" || job.state === "starting") jobs.set(id, job);
      else jobs.delete(id);
    }
    this.#fresh.clear();
    this.#show([...jobs.values()]);
  }

  #show(jobs: Job[]): void {
    const ids = new Set(jobs.map((job) => job.id));
    for (const id of this.#trails.keys()) if (!ids.has(id)) this.#trails.delete(id);
    for (const job of jobs) this.#remember(job);
    // The newest first, as in other lists.
    this.jobs.value = jobs.sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, MOST);
  }

  #remember(job: Job): void {
    const now = job.now;
    if (!now) return;
    const kept = this.#trails.get(job.id);
    if (!kept) {
      this.#trails.set(job.id, { at: now.wall_ms, cpu: now.cpu_ms, cpus: now.wall_ms > 0 ? [now.cpu_ms / now.wall_ms] : [], memory: now.memory_bytes != null ? [now.memory_bytes] : [] });
      return;
    }
    if (now.wall_ms <= kept.at) return;
    // The sum can only grow; where it does not, another attempt has begun.
    kept.cpus.push(Math.max(0, now.cpu_ms - kept.cpu) / (now.wall_ms - kept.at));
    if (now.memory_bytes != null) kept.memory.push(now.memory_bytes);
    kept.at = now.wall_ms;
    kept.cpu = now.cpu_ms;
    if (kept.cpus.length > TRAIL) kept.cpus.shift();
    if (kept.memory.length > TRAIL) kept.memory.shift();
  }
}
