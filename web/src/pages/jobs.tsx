// The jobs that one may see: filtered, searched, live.
import { useComputed, useSignal } from "@preact/signals";
import { useCallback, useEffect, useMemo, useRef } from "preact/hooks";
import { call } from "../api/client.ts";
import { useResource } from "../api/resource.ts";
import { maySubmit } from "../api/session.ts";
import type { JobState } from "../api/v1.ts";
import { JobStore, type Filter, type ListedJob } from "../job/store.ts";
import { upper } from "../job/words.ts";
import { go, place, setQuery, to } from "../router.ts";
import { JobBadge } from "../ui/badge.tsx";
import { FilterField } from "../ui/form.tsx";
import { bytes, counted, duration, shortId } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { useNarrow } from "../ui/narrow.ts";
import { useShortcuts } from "../ui/shortcuts.tsx";
import { Empty, Failed, Loading, Notice } from "../ui/state.tsx";
import { safe } from "../ui/text.ts";
import { Ago, Since } from "../ui/time.tsx";
import { useVirtual, VirtualTable, type Column } from "../ui/virtual.tsx";

const STATES: readonly (readonly [JobState | "", string])[] = [
  ["", "All"],
  ["queued", "Waiting"],
  ["starting", "Starting"],
  ["running", "Running"],
  ["ended", "Ended"],
];

const hrefOf = (job: ListedJob): string => to(`/jobs/${job.id}`);

function filterOf(query: URLSearchParams): Filter {
  const given = (name: string) => query.get(name) ?? undefined;
  const state = STATES.map(([value]) => value).find((value) => value !== "" && value === query.get("state"));
  return { state: state || undefined, project: given("project"), user: given("user"), label: given("label"), array: given("array") };
}

export default function Jobs() {
  const filter = filterOf(place.value.query);
  const key = JSON.stringify(filter);
  const store = useMemo(() => new JobStore(filter), [key]);
  useEffect(() => store.start(), [store]);
  const text = place.value.query.get("q")?.trim() || undefined;
  useEffect(() => store.look(text), [store, text]);

  const narrow = useNarrow();
  const active = useSignal<string | undefined>(undefined);
  const search = useRef<HTMLInputElement>(null);
  const jobs = store.shown.value;
  const rowHeight = narrow ? 88 : 40;
  const virtual = useVirtual(jobs.length, rowHeight);
  const at = active.value === undefined ? undefined : Math.max(0, jobs.findIndex((job) => job.id === active.value));
  const more = useCallback(() => void store.more(), [store]);

  const move = (by: number) => {
    // Keys may come faster than the page is drawn: what counts is how it is now.
    const list = store.shown.peek();
    const here = active.peek() === undefined ? -1 : list.findIndex((job) => job.id === active.peek());
    const next = Math.max(0, Math.min(list.length - 1, here < 0 ? 0 : here + by));
    active.value = list[next]?.id;
    virtual.reveal(next);
    // The focus goes along, so that it is heard, and Enter is the browser's own.
    requestAnimationFrame(() => virtual.scroller.current?.querySelector<HTMLElement>(".vtable-row.active .row-link")?.focus({ preventScroll: true }));
  };
  useShortcuts([
    { keys: "j ArrowDown", says: "Next job", run: () => move(1) },
    { keys: "k ArrowUp", says: "Job before", run: () => move(-1) },
    {
      keys: "Enter",
      says: "Open the job",
      run: () => {
        if (active.peek() !== undefined) go(to(`/jobs/${active.peek()}`));
      },
    },
    { keys: "/", says: "Search", run: () => search.current?.focus() },
  ]);

  const problem = store.problem.value;
  const filtered = text !== undefined || Object.values(filter).some((value) => value !== undefined);
  const searched = store.searched.value;
  const further = (
    <button type="button" class="button small" onClick={() => void store.more()}>
      Look further
    </button>
  );
  return (
    <div class="page full">
      <div class="page-head">
        <h1>Jobs</h1>
        <span class="faint">{store.complete.value || jobs.length > 0 ? `${counted(jobs.length, "job")}${store.complete.value ? "" : " and more"}` : ""}</span>
        <span class="push" />
        {maySubmit() && (
          <a class="button primary" href={to("/playground")}>
            <Icon name="plus" /> New job
          </a>
        )}
      </div>
      <Filters filter={filter} text={text} search={search} />
      <section class="panel" aria-label="Jobs">
        {problem && jobs.length > 0 && <Notice kind="warning">{safe(problem.says)} What is shown may be old.</Notice>}
        {jobs.length > 0 ? (
          <VirtualTable
            label="Jobs"
            columns={narrow ? CARD : COLUMNS}
            rows={jobs}
            total={store.complete.value ? jobs.length : -1}
            keyOf={(job) => job.id}
            href={hrefOf}
            rowHeight={rowHeight}
            active={at}
            virtual={virtual}
            more={store.complete.value ? undefined : more}
            foot={
              store.complete.value ? (
                "That was all."
              ) : searched === undefined ? (
                "Loading more…"
              ) : store.busy.value ? (
                `Looked through ${counted(searched, "job")} so far…`
              ) : (
                <>Looked through the newest {counted(searched, "job")}. {further}</>
              )
            }
          />
        ) : problem ? (
          <Failed problem={problem} again={() => void store.refresh()} />
        ) : !store.complete.value && !store.busy.value && searched ? (
          <Empty title={`None of the newest ${counted(searched, "job")} is like that`} icon="search">
            {further}
          </Empty>
        ) : !store.complete.value ? (
          <Loading label={searched ? `Looking through the jobs: ${counted(searched, "job")} so far` : "Loading the jobs"} />
        ) : filtered ? (
          <Empty title="No job is like that" icon="search">
            <a href={to("/jobs")}>Show all jobs</a>
          </Empty>
        ) : (
          <Empty title="There are no jobs yet" icon="jobs">
            {maySubmit() ? (
              <>
                Write one in the <a href={to("/playground")}>Playground</a>, or submit one by <code>gambeson submit main.py</code>.
              </>
            ) : (
              "Those that you may see are here as they come."
            )}
          </Empty>
        )}
      </section>
    </div>
  );
}

function Filters({ filter, text, search }: { filter: Filter; text: string | undefined; search: { current: HTMLInputElement | null } }) {
  const projects = useResource("projects", (signal) => call("GET /v1/projects", { signal }));
  const known = useComputed(() => (projects.value.value?.projects ?? []).map((project) => project.name));
  const open = useSignal(false);
  const timer = useRef(0);
  const typed = useSignal<string | undefined>(undefined);
  const narrow = useNarrow();
  const more = [filter.project, filter.user, filter.label, filter.array].filter((value) => value !== undefined).length;
  // While one types, the address follows a little later: each step of it is another question.
  const later = (change: Record<string, string>) => {
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setQuery(change), 250);
  };
  const names = filter.project !== undefined && !known.value.includes(filter.project) ? [...known.value, filter.project] : known.value;
  return (
    <search class="filters">
      <div class="search">
        <Icon name="search" size={14} />
        <input
          ref={search}
          type="search"
          placeholder="Search names, labels, outcomes, ids"
          aria-label="Search the jobs"
          value={typed.value ?? text ?? ""}
          onInput={(event) => later({ q: (typed.value = event.currentTarget.value) })}
          onBlur={() => (typed.value = undefined)}
          onKeyDown={(event) => {
            const text = event.currentTarget.value.trim();
            if (event.key === "Enter" && /^job_[0-9a-f]{32}$/.test(text)) go(to(`/jobs/${text}`));
            if (event.key === "Escape") event.currentTarget.blur();
          }}
        />
      </div>
      <div class="segmented states" role="group" aria-label="State">
        {STATES.map(([value, label]) => (
          <button key={value} type="button" aria-pressed={(filter.state ?? "") === value} onClick={() => setQuery({ state: value })}>
            {label}
          </button>
        ))}
      </div>
      {narrow && (
        <button type="button" class="button" aria-expanded={open.value} onClick={() => (open.value = !open.value)}>
          <Icon name="filter" /> Filters{more > 0 ? ` (${more})` : ""}
        </button>
      )}
      {(!narrow || open.value) && (
        <>
          <select aria-label="Project" value={filter.project ?? ""} onChange={(event) => setQuery({ project: event.currentTarget.value })}>
            <option value="">All projects</option>
            {names.map((name) => (
              <option key={name} value={name}>
                {safe(name, 60)}
              </option>
            ))}
          </select>
          <FilterField placeholder="User" label="User, by name" value={filter.user ?? ""} give={(user) => setQuery({ user })} />
          <FilterField placeholder="Label" label="Label, as a name or name=value" value={filter.label ?? ""} give={(label) => setQuery({ label })} />
        </>
      )}
      {filter.array !== undefined && (
        <button type="button" class="button small" aria-label="Show jobs of all arrays" onClick={() => setQuery({ array: undefined })}>
          Array {safe(shortId(filter.array), 40)} <Icon name="close" size={12} />
        </button>
      )}
    </search>
  );
}

/** What there is to say of it: how it ended, why it waits, what it uses. */
function Says({ job }: { job: ListedJob }) {
  const now = job.now;
  if (job.state === "running" && now) {
    const memory = now.memory_bytes != null ? `${bytes(now.memory_bytes)} of ${bytes(job.memory_limit)}, ` : "";
    return <span class="faint">{`${memory}CPU time ${duration(now.cpu_ms)}`}</span>;
  }
  const says = job.outcome?.message ?? job.waiting?.why;
  if (!says) return <span class="faint">{job.state === "queued" ? "waits for a worker" : "–"}</span>;
  const calm = job.outcome?.kind === "exited" && job.outcome.code === 0;
  return (
    <span class={calm || job.state === "queued" ? "faint" : ""} title={safe(says, 1000)}>
      {upper(safe(says, 240))}
    </span>
  );
}

function Took({ job }: { job: ListedJob }) {
  if (job.started_at && job.ended_at) return <>{duration(Date.parse(job.ended_at) - Date.parse(job.started_at))}</>;
  if (job.started_at) return <Since from={job.started_at} />;
  return <span class="faint">–</span>;
}

function Labels({ job }: { job: ListedJob }) {
  const labels = Object.entries(job.labels);
  const text = labels.map(([name, value]) => `${safe(name, 80)}=${safe(value, 80)}`).join("  ");
  return (
    <span class="mono small faint" title={text}>
      {text}
    </span>
  );
}

const COLUMNS: readonly Column<ListedJob>[] = [
  {
    id: "job",
    title: "Job",
    width: "minmax(150px, 1.1fr)",
    cell: (job) => (
      <>
        <b>{safe(job.entry, 60)}</b> <span class="mono small faint">{shortId(job.id)}</span>
      </>
    ),
  },
  { id: "state", title: "State", width: "124px", cell: (job) => <JobBadge job={job} /> },
  { id: "says", title: "What there is to say", width: "minmax(0, 2.4fr)", cell: (job) => <Says job={job} /> },
  { id: "labels", title: "Labels", width: "minmax(0, 0.9fr)", wide: true, cell: (job) => <Labels job={job} /> },
  {
    id: "whose",
    title: "Project · user",
    width: "minmax(0, 1fr)",
    wide: true,
    cell: (job) => (
      <span title={`${safe(job.project_name)} · ${safe(job.user_name)}`}>
        {safe(job.project_name, 60)} <span class="faint">· {safe(job.user_name, 60)}</span>
      </span>
    ),
  },
  { id: "took", title: "Ran", width: "92px", number: true, cell: (job) => <Took job={job} /> },
  { id: "submitted", title: "Submitted", width: "84px", number: true, cell: (job) => <Ago at={job.submitted_at} /> },
];

/** The same on a phone: one cell, three lines. */
const CARD: readonly Column<ListedJob>[] = [
  {
    id: "job",
    title: "Jobs, newest first",
    width: "minmax(0, 1fr)",
    cell: (job) => (
      <span class="card">
        <span class="card-line">
          <b class="cut">{safe(job.entry, 60)}</b>
          <JobBadge job={job} />
        </span>
        <span class="cut small">
          <Says job={job} />
        </span>
        <span class="card-line small faint">
          <span class="cut">
            {safe(job.project_name, 40)} · {safe(job.user_name, 40)}
          </span>
          <span class="nowrap">
            <Took job={job} /> · <Ago at={job.submitted_at} />
          </span>
        </span>
      </span>
    ),
  },
];
