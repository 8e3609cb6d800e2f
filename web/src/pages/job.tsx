// One job, from submit to settle.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call } from "../api/client.ts";
import { onChange } from "../api/live.ts";
import type { Resource } from "../api/resource.ts";
import { holds, inScope, maySubmit } from "../api/session.ts";
import type { Job } from "../api/v1.ts";
import { ArtifactsPanel } from "../job/artifacts.tsx";
import { CancelButton } from "../job/cancel.tsx";
import { Facts, LimitsUsed } from "../job/facts.tsx";
import { LayersPanel } from "../job/layers.tsx";
import { RefusalsPanel } from "../job/refusals.tsx";
import { useJob } from "../job/one.ts";
import { saveOutput } from "../job/save.ts";
import { SourcePanel } from "../job/source.tsx";
import { Phases, TimelinePanel } from "../job/timeline.tsx";
import { UsagePanel } from "../job/usage.tsx";
import type { Watch } from "../job/watch.ts";
import { LogView } from "../log/view.tsx";
import type { PageProps } from "../pages.ts";
import { place, setQuery, to } from "../router.ts";
import { announce } from "../ui/announce.tsx";
import { upper } from "../job/words.ts";
import { JobBadge, lookOf } from "../ui/badge.tsx";
import { Copy } from "../ui/copy.tsx";
import { Confirm } from "../ui/dialog.tsx";
import { Icon } from "../ui/icon.tsx";
import { Failed, Loading, Notice } from "../ui/state.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { safe, safeLines } from "../ui/text.ts";
import { toast, toastProblem } from "../ui/toast.tsx";

const WAITING_POLL_MS = 2000;

export default function JobPage({ params }: PageProps) {
  const id = params.id ?? "";
  return <OneJob key={id} id={id} />;
}

function OneJob({ id }: { id: string }) {
  const { job, seen } = useJob(id, WAITING_POLL_MS);
  const now = job.value.value;
  useEffect(
    () =>
      onChange((change) => {
        // The connection broke, and is there again.
        if (change.type === "missed") job.reload();
        if (change.type === "job" && change.job.id === id && change.job.state === "running") job.set((before) => before && { ...before, now: change.job.now ?? null });
      }),
    [id],
  );
  const word = now && lookOf(now).word;
  useEffect(() => {
    if (!now) return;
    document.title = `${safe(now.entry, 60)}: ${word} · Gambeson`;
    announce(`The job is ${word}.`);
  }, [word]);

  if (!now) {
    return (
      <div class="page">
        <Back />
        <h1>Job</h1>
        {job.problem.value ? <Failed problem={job.problem.value} again={job.reload} /> : <Loading label="Loading the job" />}
      </div>
    );
  }
  return (
    <div class="page job">
      <Head job={now} resource={job} />
      <div class="job-columns">
        <Parts job={now} seen={seen} />
        <aside class="job-aside" aria-label="Facts about the job">
          <section class="panel">
            <div class="panel-head">
              <h2>Facts</h2>
            </div>
            <Facts job={now} />
          </section>
          <section class="panel">
            <div class="panel-head">
              <h2>Used, of its limits</h2>
            </div>
            <LimitsUsed job={now} samples={seen.samples} written={seen.written} />
          </section>
        </aside>
      </div>
    </div>
  );
}

function Back() {
  return (
    <nav aria-label="Where this is" class="crumbs">
      <a href={to("/jobs")}>
        <Icon name="left" size={14} /> Jobs
      </a>
    </nav>
  );
}

function Head({ job, resource }: { job: Job; resource: Resource<Job> }) {
  const asks = useSignal(false);
  const writes = maySubmit(job.project);
  const approves = inScope("jobs:write") && holds(["owner", "operator"], job.project);
  const open = job.state !== "ended";
  const sentence = job.outcome?.message ?? job.waiting?.why;
  const again = to("/playground", { from: job.id });
  return (
    <header class="job-head">
      <Back />
      <div class="page-head">
        <h1 class="cut" title={safe(job.entry)}>
          {safe(job.entry, 120)}
        </h1>
        <JobBadge job={job} />
        <span class="job-id">
          <span class="mono faint small cut" title={job.id}>
            {job.id}
          </span>
          <Copy text={job.id} label="Copy the id" />
        </span>
        <span class="push" />
        {job.waiting?.held && approves && (
          <button type="button" class="button primary" onClick={() => (asks.value = true)}>
            <Icon name="check" /> Approve
          </button>
        )}
        {open && writes && !job.cancel_requested && <CancelButton job={job} onDone={resource.reload} />}
        {writes && (
          <a class="button" href={again}>
            <Icon name="again" /> Run again with changes
          </a>
        )}
      </div>
      {sentence && <p class={job.outcome && lookOf(job).tone === "good" ? "job-sentence good" : "job-sentence"}>{upper(safeLines(sentence, 4000)).replace(/([^.!?…])$/, "$1.")}</p>}
      {Object.keys(job.labels).length > 0 && (
        <ul class="labels" aria-label="Labels">
          {Object.entries(job.labels).map(([name, value]) => (
            <li key={name} class="label" title={`${safe(name)}=${safe(value)}`}>
              {safe(name)}={safe(value)}
            </li>
          ))}
        </ul>
      )}
      {resource.problem.value && <Notice kind="warning">{safe(resource.problem.value.says)} What is shown may be old.</Notice>}
      {asks.value && (
        <Confirm
          title="Let this job run?"
          act="Approve"
          onClose={() => (asks.value = false)}
          carryOut={async () => {
            await call("POST /v1/jobs/{id}/approve", { path: { id: job.id } });
            toast("The job was approved.");
            resource.reload();
          }}
        >
          <p>{upper(safe(job.waiting?.why)).replace(/([^.!?…])$/, "$1.")}</p>
          <p>Look at its source and at the findings first: whoever approves it answers for it.</p>
        </Confirm>
      )}
    </header>
  );
}

function Parts({ job, seen }: { job: Job; seen: Watch }) {
  const at = place.value.query.get("tab") ?? "log";
  // While it runs, the events know of refusals before the job does.
  const denials = job.denials ?? seen.denials.value;
  const tabs = [
    { id: "log", label: "Log" },
    { id: "source", label: "Source", count: (job.findings?.length ?? 0) + (job.findings_more ?? 0) },
    { id: "usage", label: "Usage" },
    { id: "refusals", label: "Refusals", count: denials.length },
    { id: "artifacts", label: "Artifacts", count: job.artifacts?.length },
    { id: "layers", label: "Layers" },
    { id: "timeline", label: "Timeline" },
  ];
  const here = tabs.some((tab) => tab.id === at) ? at : "log";
  return (
    <section class="panel job-parts" aria-label="Parts of the job">
      <Phases job={job} />
      <Tabs tabs={tabs} at={here} label="Parts of the job" onMove={(tab) => setQuery({ tab: tab === "log" ? undefined : tab })}>
        {here === "log" && (
          <>
            {seen.problem.value && <Notice kind="warning">{safe(`${seen.problem.value.says} ${seen.problem.value.remedy}`)}</Notice>}
            <LogView log={seen.log} version={seen.version} live={job.state !== "ended"} download={(stream) => void saveOutput(job.id, stream).catch(toastProblem)} />
          </>
        )}
        {here === "source" && <SourcePanel job={job} denials={denials} />}
        {here === "usage" && <UsagePanel job={job} samples={seen.samples} />}
        {here === "refusals" && <RefusalsPanel job={job} denials={denials} />}
        {here === "artifacts" && <ArtifactsPanel job={job} />}
        {here === "layers" && <LayersPanel job={job} />}
        {here === "timeline" && <TimelinePanel job={job} timeline={seen.timeline} />}
      </Tabs>
    </section>
  );
}
