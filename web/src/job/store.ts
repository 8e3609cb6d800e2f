// The list of jobs as it is filtered: pages of it, loaded as one comes to them, kept fresh by what changes.
import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { call } from "../api/client.ts";
import { onChange } from "../api/live.ts";
import { asProblem, type Problem } from "../api/problem.ts";
import type { Change, Job, JobState } from "../api/v1.ts";

export type Filter = {
  state: JobState | undefined;
  project: string | undefined;
  user: string | undefined;
  label: string | undefined;
  array: string | undefined;
};

/** What the list shows of a job. The rest of it is not kept: a hundred thousand whole jobs are 250 MB, and scrolling would wait for
 * the browser to look through them for what is garbage. */
export type ListedJob = Pick<Job, "id" | "entry" | "state" | "project_name" | "user_name" | "labels" | "submitted_at" | "started_at" | "ended_at" | "outcome" | "waiting" | "cancel_requested" | "now"> & {
  memory_limit: number;
};

export function listed(job: Job): ListedJob {
  const { id, entry, state, project_name, user_name, labels, submitted_at, started_at = null, ended_at = null, outcome = null, waiting = null, cancel_requested = false, now = null } = job;
  return { id, entry, state, project_name, user_name, labels, submitted_at, started_at, ended_at, outcome, waiting, cancel_requested, now, memory_limit: job.limits.memory_bytes };
}

/** The first page comes soon, the others are larger: whoever scrolls on wants many. */
const PAGE_FIRST = 100;
const PAGE = 250;
/** A search for a text loads on until so many are found. */
const FOUND_ENOUGH = 50;
/** … or so many were looked through; then one asks for more. */
const LOOKED_MOST = 5000;

/** Whether a job is what the filter asks for, as far as that can be told here. */
export function fits(job: Job, filter: Filter): boolean {
  if (filter.state !== undefined && job.state !== filter.state) return false;
  if (filter.project !== undefined && filter.project !== job.project_name && filter.project !== job.project) return false;
  if (filter.user !== undefined && filter.user !== job.user_name && filter.user !== job.user) return false;
  if (filter.array !== undefined && filter.array !== job.array?.id) return false;
  if (filter.label !== undefined) {
    const [name = "", ...value] = filter.label.split("=");
    const held = job.labels[name];
    if (held === undefined || (filter.label.includes("=") && held !== value.join("="))) return false;
  }
  return true;
}

/** Any few digits are in the id of some job: it counts for words that are long enough to mean it. */
const ID_LEAST = 6;

/** Whether every word of the text is in something that is shown of the job. */
export function says(job: ListedJob, text: string): boolean {
  const whole = [job.entry, job.project_name, job.user_name, job.state, job.outcome?.message, job.outcome?.kind, job.waiting?.why, ...Object.entries(job.labels).map((pair) => pair.join("="))]
    .join("\n")
    .toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => whole.includes(word) || (word.length >= ID_LEAST && job.id.includes(word)));
}

/** Two lists, newest first, as one; of two jobs of the same id that of `fresh`. Ids grow with time. */
export function merged(fresh: readonly ListedJob[], old: readonly ListedJob[]): ListedJob[] {
  const out: ListedJob[] = [];
  let a = 0;
  let b = 0;
  while (a < fresh.length || b < old.length) {
    const one = fresh[a];
    const other = old[b];
    if (one && (!other || one.id >= other.id)) {
      out.push(one);
      a += 1;
      if (other?.id === one.id) b += 1;
    } else if (other) {
      out.push(other);
      b += 1;
    }
  }
  return out;
}

export class JobStore {
  readonly problem: Signal<Problem | undefined> = signal(undefined);
  /** Whether the last page was read. */
  readonly complete = signal(false);
  /** Whether a page is being read. */
  readonly busy = signal(false);
  /** Looked for here and not by the server, in what was loaded. */
  readonly #text = signal<string | undefined>(undefined);
  readonly #jobs = signal<readonly ListedJob[]>([]);
  /** Those that are to be shown. */
  readonly shown: ReadonlySignal<readonly ListedJob[]>;
  /** How many were looked through for a text. */
  readonly searched: ReadonlySignal<number | undefined>;
  readonly #filter: Filter;
  #cursor: string | undefined;
  #aborted = new AbortController();
  #fresh = new Map<string, Job>();
  #timer = 0;

  constructor(filter: Filter) {
    this.#filter = filter;
    this.shown = computed(() => {
      const text = this.#text.value;
      return text === undefined ? this.#jobs.value : this.#jobs.value.filter((job) => says(job, text));
    });
    this.searched = computed(() => (this.#text.value === undefined ? undefined : this.#jobs.value.length));
  }

  /** Shows only jobs that say this. */
  look(text: string | undefined): void {
    this.#text.value = text;
    if (text !== undefined && this.shown.peek().length < FOUND_ENOUGH) void this.more();
  }

  start(): () => void {
    this.#aborted = new AbortController();
    void this.more();
    const stop = onChange((change) => this.#take(change));
    return () => {
      stop();
      clearTimeout(this.#timer);
      this.#aborted.abort();
      this.busy.value = false;
    };
  }

  #ask(cursor: string | undefined) {
    const { state, project, user, label, array } = this.#filter;
    const query = { limit: cursor ? PAGE : PAGE_FIRST, ...(state && { state }), ...(project && { project }), ...(user && { user }), ...(label && { label }), ...(array && { array }), ...(cursor && { cursor }) };
    return call("GET /v1/jobs", { query, signal: this.#aborted.signal });
  }

  /** Reads the next page; for a text, as many as it takes to find some. */
  async more(): Promise<void> {
    if (this.busy.peek() || this.complete.peek()) return;
    this.busy.value = true;
    const before = this.shown.peek().length;
    const loaded = this.#jobs.peek().length;
    const enough = () => this.#text.peek() === undefined || this.shown.peek().length - before >= FOUND_ENOUGH || this.#jobs.peek().length - loaded >= LOOKED_MOST;
    const { signal } = this.#aborted;
    try {
      do {
        const page = await this.#ask(this.#cursor);
        if (signal.aborted) return;
        this.#cursor = page.next ?? undefined;
        this.#jobs.value = merged(page.jobs.map(listed), this.#jobs.peek());
        this.complete.value = !page.next;
        this.problem.value = undefined;
      } while (!this.complete.peek() && !enough());
    } catch (thrown) {
      if (!signal.aborted) this.problem.value = asProblem(thrown);
    } finally {
      if (!signal.aborted) this.busy.value = false;
    }
  }

  /** Reads the newest page again. */
  async refresh(): Promise<void> {
    if (this.busy.peek()) return;
    if (this.#jobs.peek().length === 0 && !this.complete.peek()) return this.more();
    this.busy.value = true;
    const { signal } = this.#aborted;
    try {
      const page = await this.#ask(undefined);
      if (signal.aborted) return;
      // What the newest page should have and has not is no more, or is no longer like that.
      const last = page.next ? page.jobs.at(-1)?.id : undefined;
      const kept = last === undefined ? [] : this.#jobs.peek().filter((job) => job.id < last);
      this.#jobs.value = merged(page.jobs.map(listed), kept);
      if (!page.next) this.complete.value = true;
      this.problem.value = undefined;
    } catch (thrown) {
      if (!signal.aborted) this.problem.value = asProblem(thrown);
    } finally {
      if (!signal.aborted) this.busy.value = false;
    }
  }

  // Changes come by the hundred a second: the list is made anew a few times a second at most.
  #take(change: Change): void {
    if (change.type === "missed") void this.refresh();
    if (change.type !== "job") return;
    this.#fresh.set(change.job.id, change.job);
    this.#timer ||= window.setTimeout(() => {
      this.#timer = 0;
      const fresh = this.#fresh;
      this.#fresh = new Map();
      this.#jobs.value = changed(this.#jobs.peek(), fresh, this.#filter, this.complete.peek());
    }, 200);
  }
}

/** Where a job is in a list, or would be. */
function placeOf(jobs: readonly ListedJob[], id: string): number {
  let low = 0;
  let high = jobs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((jobs[middle]?.id ?? "") > id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A list after some of its jobs changed, came, or are no longer what is asked for. Of jobs that are older than what was loaded
 * nothing is shown: their page comes later. */
export function changed(jobs: readonly ListedJob[], fresh: ReadonlyMap<string, Job>, filter: Filter, complete: boolean): ListedJob[] {
  const oldest = jobs.at(-1)?.id;
  const next = jobs.slice();
  const came: ListedJob[] = [];
  const gone = new Set<string>();
  for (const [id, job] of fresh) {
    const at = placeOf(jobs, id);
    const fit = fits(job, filter);
    if (jobs[at]?.id === id) {
      next[at] = listed(job);
      if (!fit) gone.add(id);
    } else if (fit && (complete || oldest === undefined || id > oldest)) came.push(listed(job));
  }
  const kept = gone.size === 0 ? next : next.filter((job) => !gone.has(job.id));
  return came.length === 0 ? kept : merged(came.sort((a, b) => (a.id < b.id ? 1 : -1)), kept);
}
