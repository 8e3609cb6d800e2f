// What became of it: the log as it is written, how it ended, and the pictures that it left.
import { useEffect } from "preact/hooks";
import type { Denial, Job } from "../api/v1.ts";
import { artifactAddress } from "../job/artifacts.tsx";
import { CancelButton } from "../job/cancel.tsx";
import { useJob } from "../job/one.ts";
import { saveOutput } from "../job/save.ts";
import { LogView } from "../log/view.tsx";
import { to } from "../router.ts";
import { announce } from "../ui/announce.tsx";
import { JobBadge, lookOf } from "../ui/badge.tsx";
import { bytes, duration, shortId } from "../ui/format.ts";
import { Preview, previewOf } from "../ui/preview.tsx";
import { Failed, Loading, Notice } from "../ui/state.tsx";
import { safe, safeLines } from "../ui/text.ts";
import { Since } from "../ui/time.tsx";
import { toastProblem } from "../ui/toast.tsx";

const WAITING_POLL_MS = 1500;

export function Output({ id, onJob }: { id: string; onJob: (job: Job, denials: readonly Denial[]) => void }) {
  const { job, seen } = useJob(id, WAITING_POLL_MS);
  const now = job.value.value;
  const denials = seen.denials.value;

  useEffect(() => {
    if (now) onJob(now, denials);
  }, [now, denials]);
  const word = now && lookOf(now).word;
  useEffect(() => {
    if (word) announce(`The job is ${word}.`);
  }, [word]);

  if (!now) return job.problem.value ? <Failed problem={job.problem.value} again={job.reload} /> : <Loading label="Loading the job" />;
  const ended = now.state === "ended";
  const says = now.outcome?.message ?? now.waiting?.why;
  const pictures = (now.artifacts ?? []).filter((artifact) => previewOf(artifact.path, artifact.size) === "image");
  const others = (now.artifacts ?? []).length - pictures.length;
  const good = now.outcome && lookOf(now).tone === "good";
  return (
    <div class="run">
      <div class="run-head">
        <JobBadge job={now} />
        <a class="mono small" href={to(`/jobs/${now.id}`)} title={now.id}>
          {shortId(now.id)}
        </a>
        <span class="faint small">
          {now.usage ? (
            <>
              {duration(now.usage.wall_ms)}
              {now.usage.memory_peak_bytes != null && `, ${bytes(now.usage.memory_peak_bytes)}`}
              {now.start && `, ${now.start} start`}
            </>
          ) : now.started_at ? (
            <Since from={now.started_at} />
          ) : null}
        </span>
        <span class="push" />
        {!ended && !now.cancel_requested && <CancelButton job={now} small onDone={job.reload} />}
      </div>
      {says && !good && <p class={`run-says ${lookOf(now).tone}`}>{safeLines(says, 2000)}</p>}
      {now.waiting?.held && (
        <Notice kind="warning">
          It waits for somebody who approves it: <a href={to(`/jobs/${now.id}`)}>the job's page</a> says by which policy.
        </Notice>
      )}
      {seen.problem.value && <Notice kind="warning">{safe(`${seen.problem.value.says} ${seen.problem.value.remedy}`)}</Notice>}
      <div class="run-log">
        <LogView log={seen.log} version={seen.version} live={!ended} download={(stream) => void saveOutput(id, stream).catch(toastProblem)} />
      </div>
      {ended && (pictures.length > 0 || others > 0) && (
        <section class="run-pictures" aria-label="What it left" tabIndex={0}>
          {pictures.map((artifact) => (
            <figure key={artifact.path}>
              <Preview kind="image" href={artifactAddress(id, artifact.path)} name={safe(artifact.path, 200)} />
              <figcaption class="small faint">
                <span class="mono break">{safe(artifact.path, 200)}</span> · {bytes(artifact.size)} ·{" "}
                <a href={artifactAddress(id, artifact.path)} download={artifact.path.split("/").at(-1)}>
                  Download
                </a>
              </figcaption>
            </figure>
          ))}
          {others > 0 && (
            <p class="small">
              <a href={to(`/jobs/${id}`, { tab: "artifacts" })}>{others === 1 ? "One other file" : `${others} other files`} that it left</a>
            </p>
          )}
        </section>
      )}
    </div>
  );
}
