import type { ReadonlySignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Job, Sample } from "../api/v1.ts";
import { to } from "../router.ts";
import { bytes, count, cpus, dateAndClock, duration, shortId } from "../ui/format.ts";
import { safe } from "../ui/text.ts";
import { Ago, Since } from "../ui/time.tsx";
import { networkSays } from "./words.ts";

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd class="cut">{children}</dd>
    </div>
  );
}

const between = (from: string, until: string): string => duration(Date.parse(until) - Date.parse(from));

export function Facts({ job }: { job: Job }) {
  return (
    <dl class="facts">
      <Fact name="Project">
        <a href={to("/jobs", { project: job.project_name })} title={safe(job.project_name)}>
          {safe(job.project_name)}
        </a>
      </Fact>
      <Fact name="User">
        <a href={to("/jobs", { user: job.user_name })} title={safe(job.user_name)}>
          {safe(job.user_name)}
        </a>
      </Fact>
      <Fact name="Submitted">
        <span title={dateAndClock(new Date(job.submitted_at))}>
          <Ago at={job.submitted_at} />
        </span>
      </Fact>
      <Fact name={job.started_at ? "Waited" : job.state === "ended" ? "Did not start" : "Waits since"}>
        {job.started_at ? between(job.submitted_at, job.started_at) : job.ended_at ? `ended after ${between(job.submitted_at, job.ended_at)}` : <Since from={job.submitted_at} />}
      </Fact>
      {job.started_at && <Fact name={job.ended_at ? "Ran" : "Runs since"}>{job.ended_at ? between(job.started_at, job.ended_at) : <Since from={job.started_at} />}</Fact>}
      {job.waiting?.position != null && <Fact name="Before it">{count(job.waiting.position)} jobs</Fact>}
      {job.waiting?.expected_start_p50 && (
        <Fact name="Expected start">
          <Ago at={job.waiting.expected_start_p50} />
          {job.waiting.expected_start_p90 && (
            <span class="faint">
              , at worst <Ago at={job.waiting.expected_start_p90} />
            </span>
          )}
        </Fact>
      )}
      <Fact name="Class">{job.class}</Fact>
      <Fact name="Network">
        <span title={safe(networkSays(job.network))}>{safe(networkSays(job.network))}</span>
      </Fact>
      {job.start && <Fact name="Start">{job.start}</Fact>}
      {job.attempt > 0 && <Fact name="Attempt">{job.attempt}</Fact>}
      {job.may_rerun && <Fact name="May run again">yes</Fact>}
      {job.worker && (
        <Fact name="Worker">
          <a class="mono" href={to("/workers")} title={job.worker}>
            {shortId(job.worker)}
          </a>
        </Fact>
      )}
      {job.array && (
        <Fact name="Array">
          <a href={to("/jobs", { array: job.array.id })}>
            {job.array.index + 1} of {job.array.size}
          </a>
        </Fact>
      )}
    </dl>
  );
}

type Bar = { name: string; used: number | null | undefined; most: number; says: (value: number) => string };

/** What was used at most, beside what was allowed: while it runs, from the samples. */
export function LimitsUsed({ job, samples, written }: { job: Job; samples: ReadonlySignal<readonly Sample[]>; written: ReadonlySignal<number> }) {
  const limits = job.limits;
  const usage = job.usage;
  const seen = samples.value;
  const latest = seen.at(-1) ?? job.now;
  // Of a run that was lost, nobody reported; what it said until then is better than nothing.
  const more = (reported: number | null | undefined, sampled: number | null | undefined) => (reported == null ? sampled : sampled == null ? reported : Math.max(reported, sampled));
  const peak = (pick: (sample: Sample) => number | null | undefined): number | undefined => {
    const values = seen.map(pick).filter((value) => value != null);
    return values.length > 0 ? Math.max(...values) : undefined;
  };
  const bars: Bar[] = [
    { name: "Memory", used: more(usage?.memory_peak_bytes, peak((sample) => sample.memory_bytes)), most: limits.memory_bytes, says: bytes },
    { name: "CPU time", used: more(usage?.cpu_ms, latest?.cpu_ms), most: limits.cpu_ms, says: duration },
    { name: "Time", used: more(usage?.wall_ms, latest?.wall_ms), most: limits.wall_ms, says: duration },
    { name: "Processes", used: more(usage?.pids_peak, peak((sample) => sample.pids)), most: limits.pids, says: count },
    { name: "Scratch", used: more(usage?.disk_bytes, peak((sample) => sample.disk_bytes)), most: limits.disk_bytes, says: bytes },
    { name: "Output", used: more(usage?.output_bytes, job.started_at ? written.value : undefined), most: limits.output_bytes, says: bytes },
  ];
  return (
    <dl class="bars">
      {bars.map(({ name, used, most, says }) => {
        const part = used == null ? 0 : Math.min(1, used / most);
        return (
          <div key={name} class={part >= 0.995 ? "bar full" : part >= 0.85 ? "bar near" : "bar"}>
            <dt>{name}</dt>
            <dd>
              <b>{used == null ? "–" : says(used)}</b> <span class="faint">of {says(most)}</span>
            </dd>
            <div class="bar-track" aria-hidden="true">
              <div class="bar-fill" style={{ width: `${Math.max(part * 100, part > 0 ? 1 : 0).toFixed(1)}%` }} />
            </div>
          </div>
        );
      })}
      <div class="bar-more">
        <dt>CPUs at once</dt>
        <dd>{cpus(limits.cpus_milli)}</dd>
      </div>
      <div class="bar-more">
        <dt>Files</dt>
        <dd>{count(limits.files)}</dd>
      </div>
    </dl>
  );
}
