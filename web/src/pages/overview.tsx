// How it is: what waits, what runs, what wants attention, and how that was over time.
import { useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { call } from "../api/client.ts";
import { useEvery } from "../api/every.ts";
import { onChange } from "../api/live.ts";
import { useResource, type Resource } from "../api/resource.ts";
import type { AttentionList, History, Job, Matter, Moment, Queue } from "../api/v1.ts";
import { RunningJobs } from "../job/running.ts";
import { overall } from "../job/history.ts";
import { upper } from "../job/words.ts";
import { to } from "../router.ts";
import { Badge, JobBadge } from "../ui/badge.tsx";
import { Chart, Sparkline, type ChartProps } from "../ui/chart.tsx";
import { bytes, count, counted, cpus, duration, percent, shortId } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { Scroll } from "../ui/scroll.tsx";
import { Empty, Failed, Loading, Notice } from "../ui/state.tsx";
import { safe } from "../ui/text.ts";
import { Words } from "../ui/words.tsx";
import { Since } from "../ui/time.tsx";

const HISTORY_MS = 10_000;
const ATTENTION_MS = 15_000;

export default function Overview() {
  const history = useEvery("history", HISTORY_MS, (signal) => call("GET /v1/history", { signal }));
  const attention = useEvery("attention", ATTENTION_MS, (signal) => call("GET /v1/attention", { signal }));
  const queue = useResource("queue", (signal) => call("GET /v1/queue", { signal }));
  const running = useMemo(() => new RunningJobs(), []);
  useEffect(() => running.start(), [running]);
  useEffect(
    () =>
      onChange((change) => {
        if (change.type === "queue") queue.set(() => change.queue);
        if (change.type === "missed") {
          queue.reload();
          history.reload();
        }
      }),
    [],
  );

  return (
    <div class="page overview">
      <div class="page-head">
        <h1>Overview</h1>
      </div>
      {history.value.value && history.problem.value && <Notice kind="warning">{safe(history.problem.value.says)} What is shown may be old.</Notice>}
      <Tiles history={history.value.value} queue={queue.value.value} />
      <Attention of={attention} />
      <Charts of={history} />
      <Running of={running} />
    </div>
  );
}

function Tile({ name, value, more, href }: { name: string; value: string; more?: ComponentChildren; href?: string }) {
  const inside = (
    <>
      <span class="tile-name">{name}</span>
      <span class="tile-value">{value}</span>
      <span class="tile-more">{more ?? "\u00a0"}</span>
    </>
  );
  return href ? (
    <a class="tile" href={href}>
      {inside}
    </a>
  ) : (
    <div class="tile">{inside}</div>
  );
}

/** Who waits for an approval stands in no queue, and is not in the charts. */
const waitingMore = ({ queued, held }: Queue): string => (held ? `and ${count(held)} held for approval` : queued === 0 ? "nothing waits" : "jobs in the queue");

function Tiles({ history, queue }: { history: History | undefined; queue: Queue | undefined }) {
  const all = useMemo(() => (history ? overall(history) : undefined), [history]);
  const last = history?.moments.at(-1);
  const known = (value: number | undefined | null, says: (value: number) => string) => (value === undefined || value === null ? "–" : says(value));
  return (
    <div class="tiles">
      <Tile name="Waiting" value={known(queue?.queued ?? last?.queued, count)} more={queue && waitingMore(queue)} href={to("/jobs", { state: "queued" })} />
      <Tile name="Running" value={known(queue?.running ?? last?.running, count)} more="starting included" href={to("/jobs", { state: "running" })} />
      <Tile
        name="Waiting time"
        value={known(all?.wait_p50_ms, duration)}
        more={all && all.wait_p90_ms !== undefined ? `90 % within ${duration(all.wait_p90_ms)}` : all ? "nothing started lately" : undefined}
      />
      <Tile name="Throughput" value={known(all?.ended_per_minute, (value) => (value >= 10 ? count(value) : value.toFixed(value === 0 ? 0 : 1)))} more="ended a minute" />
      <Tile
        name="Did not succeed"
        value={known(all?.failed_part, percent)}
        more={all ? (all.ended === 0 ? "nothing ended lately" : `${count(all.failed)} of ${counted(all.ended, "job")}`) : undefined}
      />
      <Tile
        name="CPUs given"
        value={last && last.cpus_milli_most > 0 ? percent(last.cpus_milli / last.cpus_milli_most) : known(last?.cpus_milli, cpus)}
        more={last && (last.cpus_milli_most > 0 ? `${cpus(last.cpus_milli)} of ${cpus(last.cpus_milli_most)}` : "to running jobs")}
      />
      <Tile
        name="Memory given"
        value={last && last.memory_bytes_most > 0 ? percent(last.memory_bytes / last.memory_bytes_most) : known(last?.memory_bytes, bytes)}
        more={last && (last.memory_bytes_most > 0 ? `${bytes(last.memory_bytes)} of ${bytes(last.memory_bytes_most)}` : "to running jobs")}
      />
    </div>
  );
}

function Attention({ of }: { of: Resource<AttentionList> }) {
  const matters = of.value.value?.matters;
  const problem = of.problem.value;
  // A calm platform needs no panel: one quiet line says so.
  if (matters?.length === 0) {
    return (
      <p class="calm">
        <Icon name="check" /> Nothing wants attention.
      </p>
    );
  }
  if (!matters) {
    if (!problem) return <p class="calm">&nbsp;</p>;
    return <Notice kind="warning">{safe(`${problem.says} ${problem.remedy}`)}</Notice>;
  }
  return (
    <section class="panel" aria-labelledby="attention">
      <div class="panel-head">
        <h2 id="attention">Wants attention</h2>
        <span class="tab-count">{matters.length}</span>
      </div>
      <ul class="matters">
        {matters.map((matter, at) => (
          <li key={`${matter.kind} ${at}`} class={matter.severity === "error" ? "matter error" : "matter"}>
            <Badge tone={matter.severity === "error" ? "bad" : "warning"} icon={matter.severity === "error" ? "cross" : "warning"}>
              {matter.severity === "error" ? "error" : "warning"}
            </Badge>
            <div class="break">
              <b>
                <Words text={upper(matter.says)} most={600} />
              </b>{" "}
              <span class="faint">
                <Words text={upper(matter.remedy)} most={600} />
              </span>
            </div>
            <Leads matter={matter} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Where one can do something about it. */
function Leads({ matter }: { matter: Matter }) {
  const [href, words] = matter.job
    ? [to(`/jobs/${matter.job}`), "The job"]
    : matter.kind === "layer_missing"
      ? [to("/posture"), "Posture"]
      : matter.worker || /worker/.test(matter.kind)
        ? [to("/workers"), "Workers"]
        : matter.kind === "held_jobs"
          ? [to("/jobs", { state: "queued" }), "Waiting jobs"]
          : matter.kind.startsWith("quota")
            ? [to("/access"), "Quotas"]
            : matter.kind === "faults"
              ? [to("/jobs", { state: "ended" }), "Ended jobs"]
              : [undefined, ""];
  return href ? (
    <a class="nowrap small" href={href}>
      {words} <Icon name="right" size={12} />
    </a>
  ) : null;
}

function Charts({ of }: { of: Resource<History> }) {
  const history = of.value.value;
  const charts = useMemo(() => (history ? chartsOf(history) : []), [history]);
  const problem = of.problem.value;
  if (!history && problem) {
    return (
      <section class="panel" aria-label="Over time">
        <Failed problem={problem} again={of.reload} />
      </section>
    );
  }
  // The places of the charts are kept while they load, so that nothing jumps.
  const shown: (ChartProps | undefined)[] = history ? charts : [undefined, undefined, undefined, undefined];
  return (
    <div class="chart-grid">
      {shown.map((chart, at) => (
        <section key={at} class="panel" aria-label={chart?.label ?? "Loading"}>
          <div class="panel-head">
            <h2>{chart?.label ?? "\u00a0"}</h2>
          </div>
          <div class="panel-body chart-place">{chart && (chart.data[0]?.length ?? 0) > 1 ? <Chart {...chart} height={124} /> : chart ? <Empty title="The first moments are yet to come" icon="clock" /> : null}</div>
        </section>
      ))}
    </div>
  );
}

function chartsOf(history: History): ChartProps[] {
  const moments = history.moments;
  const times = moments.map((moment) => Date.parse(moment.at) / 1000);
  const of = (pick: (moment: Moment) => number | null | undefined) => moments.map((moment) => pick(moment) ?? null);
  const aMinute = 60_000 / history.step_ms;
  const last = moments.at(-1);
  const capacity = moments.some((moment) => moment.cpus_milli_most > 0);
  const rate = (value: number) => `${value >= 10 || value === 0 ? value.toFixed(0) : value.toFixed(1)}`;
  const charts: ChartProps[] = [
    {
      label: "Jobs",
      series: [
        { label: "waiting", colour: "--chart-2", fill: true, stepped: true },
        { label: "running", colour: "--chart-1", fill: true, stepped: true },
      ],
      data: [times, of((moment) => moment.queued), of((moment) => moment.running)],
      format: count,
      ticks: "whole",
      atLeast: 4,
      summary: last ? `${counted(last.queued, "job")} waiting, ${count(last.running)} running.` : "",
    },
    {
      label: "Waiting time of those that started",
      series: [
        { label: "50 % within", colour: "--chart-1" },
        { label: "90 % within", colour: "--chart-2" },
      ],
      data: [times, of((moment) => moment.wait_p50_ms), of((moment) => moment.wait_p90_ms)],
      format: duration,
      atLeast: 100,
      points: true,
      summary: last?.wait_p50_ms != null ? `Half of those that started last had waited at most ${duration(last.wait_p50_ms)}.` : "None started lately.",
    },
    {
      label: "Jobs a minute",
      series: [
        { label: "came", colour: "--chart-1" },
        { label: "ended", colour: "--chart-3", fill: true },
        { label: "did not succeed", colour: "--chart-limit", dashed: true },
      ],
      data: [times, of((moment) => moment.submitted * aMinute), of((moment) => moment.ended * aMinute), of((moment) => moment.failed * aMinute)],
      format: rate,
      atLeast: 4,
      summary: last ? `${rate(last.submitted * aMinute)} came, ${rate(last.ended * aMinute)} ended a minute.` : "",
    },
    capacity
      ? {
          label: "Given to running jobs",
          series: [
            { label: "CPUs", colour: "--chart-1", fill: true },
            { label: "memory", colour: "--chart-4" },
          ],
          data: [times, of((moment) => (moment.cpus_milli_most > 0 ? moment.cpus_milli / moment.cpus_milli_most : null)), of((moment) => (moment.memory_bytes_most > 0 ? moment.memory_bytes / moment.memory_bytes_most : null))],
          format: percent,
          atLeast: 1,
          summary: last && last.cpus_milli_most > 0 ? `${percent(last.cpus_milli / last.cpus_milli_most)} of the CPUs.` : "",
        }
      : {
          label: "CPUs given to running jobs",
          series: [{ label: "CPUs", colour: "--chart-1", fill: true }],
          data: [times, of((moment) => moment.cpus_milli / 1000)],
          format: (value) => cpus(value * 1000),
          atLeast: 1,
          summary: last ? `${cpus(last.cpus_milli)}.` : "",
        },
  ];
  return charts;
}

const ROWS_MOST = 12;

function Running({ of }: { of: RunningJobs }) {
  const jobs = of.jobs.value;
  const problem = of.problem.value;
  const all = useSignal(false);
  const shown = useComputed(() => (all.value ? of.jobs.value : of.jobs.value.slice(0, ROWS_MOST)));
  return (
    <section class="panel" aria-labelledby="running">
      <div class="panel-head">
        <h2 id="running">Running now</h2>
        {jobs && jobs.length > 0 && <span class="tab-count">{of.more.value ? `${jobs.length} and more` : jobs.length}</span>}
        <a class="push small" href={to("/jobs")}>
          All jobs <Icon name="right" size={12} />
        </a>
      </div>
      {jobs.length > 0 ? (
        <Scroll label="Running now, table" className="table-scroll">
          <table class="table running">
            <colgroup>
              <col />
              <col class="running-col-whose" />
              <col class="running-col-spark" />
              <col class="running-col-cpus" />
              <col class="running-col-spark" />
              <col class="running-col-memory" />
              <col class="running-col-since" />
            </colgroup>
            <thead>
              <tr>
                <th scope="col">Job</th>
                <th scope="col">Project · user</th>
                <th scope="col" colSpan={2}>
                  CPUs busy
                </th>
                <th scope="col" colSpan={2}>
                  Memory
                </th>
                <th scope="col" class="number">
                  Runs since
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.value.map((job) => (
                <RunningRow key={job.id} job={job} of={of} />
              ))}
            </tbody>
          </table>
        </Scroll>
      ) : problem ? (
        <Failed problem={problem} again={() => void of.refresh()} />
      ) : of.known.value ? (
        <Empty title="Nothing runs" icon="running">
          Jobs that run are here as they come.
        </Empty>
      ) : (
        <Loading label="Loading what runs" />
      )}
      {jobs.length > ROWS_MOST && !all.value && (
        <button type="button" class="button quiet wide" onClick={() => (all.value = true)}>
          Show {jobs.length - ROWS_MOST} more
        </button>
      )}
    </section>
  );
}

function RunningRow({ job, of }: { job: Job; of: RunningJobs }) {
  const trail = of.trailOf(job.id);
  const busy = trail.cpus.at(-1);
  const memory = job.now?.memory_bytes ?? undefined;
  return (
    <tr>
      <td>
        <span class="running-job">
          <a class="cut" href={to(`/jobs/${job.id}`)} title={safe(job.entry)}>
            <b>{safe(job.entry, 120)}</b>
          </a>
          <span class="mono small faint">{shortId(job.id)}</span>
          {job.state !== "running" || job.cancel_requested ? <JobBadge job={job} /> : null}
        </span>
      </td>
      <td>
        <span class="running-whose" title={`${safe(job.project_name)} · ${safe(job.user_name)}`}>
          {safe(job.project_name, 40)} <span class="faint">· {safe(job.user_name, 40)}</span>
        </span>
      </td>
      <td class="spark">
        <Sparkline values={trail.cpus} most={job.limits.cpus_milli / 1000} label="CPUs busy lately" />
      </td>
      <td class="nowrap">{busy === undefined ? <span class="faint">–</span> : cpus(busy * 1000)}</td>
      <td class="spark">
        <Sparkline values={trail.memory} most={job.limits.memory_bytes} label="Memory lately" />
      </td>
      <td class="nowrap">
        {memory === undefined ? <span class="faint">–</span> : bytes(memory)} <span class="faint">of {bytes(job.limits.memory_bytes)}</span>
      </td>
      <td class="number">{job.started_at ? <Since from={job.started_at} /> : <span class="faint">–</span>}</td>
    </tr>
  );
}
