// Who waits for what and why, who is next, and how the shares stand.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call } from "../api/client.ts";
import { onChange } from "../api/live.ts";
import { asProblem } from "../api/problem.ts";
import { useResource } from "../api/resource.ts";
import type { JobId, Share } from "../api/v1.ts";
import { rowsOf, unexplained, type Reasons, type Waits } from "../job/queue.ts";
import { upper } from "../job/words.ts";
import { to } from "../router.ts";
import { Badge } from "../ui/badge.tsx";
import { count, counted, percent, relative, shortId } from "../ui/format.ts";
import { Rows, type Cells } from "../ui/rows.tsx";
import { Empty, Shown } from "../ui/state.tsx";
import { safe } from "../ui/text.ts";
import { Ago, now } from "../ui/time.tsx";

/** So many jobs are shown at first, and more as one asks for them. */
const SHOWN = 12;
const MORE = 24;

/** How often those are asked for their reasons that cannot start: each time is a line of the audit log. */
const LOOK_MS = 30_000;

export default function QueuePage() {
  const queue = useResource("queue", (signal) => call("GET /v1/queue", { signal }));
  const waiting = useResource("waiting", (signal) => call("GET /v1/jobs", { query: { state: "queued", limit: 200 }, signal }));
  const reasons = useSignal<ReadonlyMap<JobId, Reasons>>(new Map());
  const most = useSignal(SHOWN);

  useEffect(() => {
    let late = 0;
    const stop = onChange((change) => {
      if (change.type === "queue") queue.set(() => change.queue);
      if (change.type === "missed") queue.reload();
      // Jobs change by the hundred: the list is read once a second at most.
      if (change.type !== "queue") late ||= window.setTimeout(() => ((late = 0), waiting.reload()), 1000);
    });
    return () => {
      stop();
      clearTimeout(late);
    };
  }, []);

  const rows = rowsOf(queue.value.value, waiting.value.value?.jobs);
  const shown = rows.slice(0, most.value).map((row) => ({ ...row, waiting: row.waiting ?? reasons.value.get(row.job.id) }));
  const first = unexplained(rows.slice(0, most.value));
  const looked = first.join(" ");
  useEffect(() => {
    const controller = new AbortController();
    const look = async () => {
      for (const id of first) {
        if (controller.signal.aborted || document.visibilityState !== "visible") return;
        try {
          const job = await call("GET /v1/jobs/{id}", { path: { id }, signal: controller.signal });
          if (job.waiting) reasons.value = new Map(reasons.peek()).set(id, job.waiting);
        } catch (thrown) {
          // It may have ended, or be too much asked: what is known stays.
          if (controller.signal.aborted || asProblem(thrown).status === 429) return;
        }
      }
    };
    void look();
    const timer = setInterval(() => void look(), LOOK_MS);
    return () => {
      controller.abort();
      clearInterval(timer);
    };
  }, [looked]);

  return (
    <div class="page">
      <div class="page-head">
        <h1>Queue</h1>
        {queue.value.value && (
          <span class="faint">
            {counted(queue.value.value.queued, "job waits", "jobs wait")}, {counted(queue.value.value.running, "runs", "run")}
            {queue.value.value.held ? `, ${count(queue.value.value.held)} held for approval` : ""}
          </span>
        )}
      </div>
      <section class="panel" aria-label="Waiting jobs">
        <div class="panel-head">
          <h2>Next, in the expected order</h2>
        </div>
        <Shown of={queue} label="Loading the queue">
          {(value) =>
            rows.length === 0 ? (
              <Empty title={value.queued === 0 ? "Nothing waits" : "None of your own jobs are among the next"} icon="queue">
                {value.queued === 0 ? "A job that is submitted now starts as soon as a worker has room for it." : `${counted(value.queued, "job waits", "jobs wait")} in the projects that you see.`}
              </Empty>
            ) : (
              <>
                <Rows label="Waiting jobs" columns={COLUMNS} rows={shown} keyOf={(row) => row.job.id} />
                {rows.length > most.value && (
                  <p class="more">
                    <button type="button" class="button small" onClick={() => (most.value += MORE)}>
                      Show more of {count(Math.max(rows.length, value.queued))}
                    </button>
                  </p>
                )}
              </>
            )
          }
        </Shown>
      </section>
      <section class="panel" aria-label="Shares">
        <div class="panel-head">
          <h2>Shares</h2>
          <span class="faint small">What each is due by weight of those who use or wait, and what it used lately.</span>
        </div>
        <Shown of={queue} label="Loading the shares">
          {(value) => (value.shares.length === 0 ? <Empty title="Nobody uses anything" icon="queue" /> : <Shares shares={value.shares} />)}
        </Shown>
      </section>
    </div>
  );
}

const COLUMNS: readonly Cells<Waits>[] = [
  {
    title: "Job",
    width: "220px",
    cell: ({ job, waiting }) => (
      <>
        <a href={to(`/jobs/${job.id}`)}>{safe(job.entry, 60)}</a> {waiting?.held && <Badge tone="warning">held</Badge>} {job.class !== "normal" && <Badge tone="neutral">{job.class}</Badge>}
        <div class="faint small">
          {safe(job.project_name, 60)} · {safe(job.user_name, 60)} · <span class="mono">{shortId(job.id)}</span>
        </div>
      </>
    ),
  },
  { title: "Before it", number: true, width: "84px", cell: ({ position }) => (position === undefined ? <span class="faint">–</span> : count(position)) },
  { title: "Why it waits", cell: ({ waiting }) => (waiting?.why ? safe(upper(waiting.why), 600) : <span class="faint">…</span>) },
  { title: "Expected start", width: "170px", cell: ({ waiting }) => <Expected waiting={waiting} /> },
  { title: "Waits since", width: "104px", cell: ({ job }) => <Ago at={job.submitted_at} /> },
];

/** When half of such jobs, and nine of ten, have started. */
function Expected({ waiting }: Pick<Waits, "waiting">) {
  const half = waiting?.expected_start_p50;
  const most = waiting?.expected_start_p90;
  if (!half) return <span class="faint">not known</span>;
  const words = (at: string) => (Date.parse(at) <= now.value + 1500 ? "now" : relative(Date.parse(at), now.value));
  return (
    <>
      {words(half)}
      {most && words(most) !== words(half) && <div class="faint small">nine of ten: {words(most)}</div>}
    </>
  );
}

function Shares({ shares }: { shares: readonly Share[] }) {
  const projects = shares.filter((share) => share.user == null);
  const users = (project: string) => shares.filter((share) => share.project === project && share.user != null);
  return (
    <ul class="shares">
      {projects.map((project) => (
        <li key={project.project}>
          <OneShare share={project} name={safe(project.project_name, 60)} />
          {users(project.project).length > 0 && (
            <ul>
              {users(project.project).map((user) => (
                <li key={user.user}>
                  <OneShare share={user} name={safe(user.user_name ?? `user ${shortId(user.user ?? "")}`, 60)} />
                </li>
              ))}
            </ul>
          )}
        </li>
      ))}
    </ul>
  );
}

function OneShare({ share, name }: { share: Share; name: string }) {
  const above = share.used > share.due * 1.05;
  return (
    <div class="share">
      <span class="share-name cut" title={name}>
        {name}
      </span>
      <div
        class="share-bar"
        role="meter"
        aria-label={`Used by ${name}`}
        aria-valuemin={0}
        aria-valuemax={1}
        aria-valuenow={Number(share.used.toFixed(3))}
        aria-valuetext={`${percent(share.used)} used, ${percent(share.due)} due`}
      >
        <div class={above ? "share-used above" : "share-used"} style={{ width: `${(share.used * 100).toFixed(1)}%` }} />
        <div class="share-due" style={{ left: `${(share.due * 100).toFixed(1)}%` }} />
      </div>
      <span class="share-words small">
        <b>{percent(share.used)}</b> <span class="faint">of {percent(share.due)} due</span>
      </span>
      <span class="faint small share-jobs">
        {count(share.queued)} wait, {count(share.running)} run, weight {share.weight}
      </span>
    </div>
  );
}
