import { useSignal } from "@preact/signals";
import { address, call } from "../api/client.ts";
import { useResource } from "../api/resource.ts";
import type { Artifact, Job } from "../api/v1.ts";
import { bytes } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { Scroll } from "../ui/scroll.tsx";
import { Empty, Notice, Shown } from "../ui/state.tsx";
import { safe } from "../ui/text.ts";
import { Ago } from "../ui/time.tsx";
import { Preview, previewOf } from "../ui/preview.tsx";

export const artifactAddress = (id: string, path: string): string => address("/v1/jobs/{id}/artifacts/{path}", { id, path });

/** The files that it left. */
export function ArtifactsPanel({ job }: { job: Job }) {
  // They are there when the job has ended; the list is read again then.
  const list = useResource(`${job.id} ${job.state}`, (signal) => call("GET /v1/jobs/{id}/artifacts", { path: { id: job.id }, signal }));
  return (
    <Shown of={list} label="Loading the artifacts">
      {(value) =>
        value.artifacts.length === 0 && value.skipped.length === 0 ? (
          <Empty title={job.state === "ended" ? "It left no files" : "They are collected when it ends"} icon="file">
            What a program writes below <code>/work/out</code> is kept.
          </Empty>
        ) : (
          <Scroll label="Artifacts">
            {value.expires_at && (
              <p class="lead">
                They are deleted <Ago at={value.expires_at} />.
              </p>
            )}
            <ul class="artifacts">
              {value.artifacts.map((artifact) => (
                <One key={artifact.path} job={job} artifact={artifact} />
              ))}
            </ul>
            {value.skipped.length > 0 && (
              <Notice kind="warning">
                Not kept:
                <ul>
                  {value.skipped.map((skipped) => (
                    <li key={skipped.path}>
                      <code class="break">{safe(skipped.path)}</code>: {safe(skipped.why)}
                    </li>
                  ))}
                </ul>
              </Notice>
            )}
          </Scroll>
        )
      }
    </Shown>
  );
}

function One({ job, artifact }: { job: Job; artifact: Artifact }) {
  const open = useSignal(false);
  const href = artifactAddress(job.id, artifact.path);
  const kind = previewOf(artifact.path, artifact.size);
  const name = safe(artifact.path, 200);
  return (
    <li class="artifact">
      <div class="artifact-head">
        <Icon name="file" />
        <span class="mono break artifact-name">{name}</span>
        <span class="faint small nowrap">{bytes(artifact.size)}</span>
        {kind && (
          <button type="button" class="button small" aria-expanded={open.value} aria-label={`Preview of ${name}`} onClick={() => (open.value = !open.value)}>
            <Icon name="eye" /> Preview
          </button>
        )}
        <a class="button small" href={href} download={artifact.path.split("/").at(-1)} aria-label={`Download ${name}`}>
          <Icon name="download" /> Download
        </a>
      </div>
      {open.value && kind && <Preview kind={kind} href={href} name={name} />}
    </li>
  );
}
