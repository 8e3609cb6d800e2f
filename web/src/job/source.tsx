import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { call } from "../api/client.ts";
import { useResource } from "../api/resource.ts";
import type { Denial, Finding, Job, JobSource } from "../api/v1.ts";
import { place, setQuery } from "../router.ts";
import { Badge, type Tone } from "../ui/badge.tsx";
import { textOf } from "../ui/bytes.ts";
import { Copy } from "../ui/copy.tsx";
import { Editor, type EditorHandle, type Mark } from "../ui/editor.tsx";
import { bytes, counted } from "../ui/format.ts";
import { Scroll } from "../ui/scroll.tsx";
import { Empty, Shown } from "../ui/state.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { safe, safeLines } from "../ui/text.ts";
import { became, denialSays, predicted, tried, upper } from "./words.ts";

export function SourcePanel({ job, denials }: { job: Job; denials: readonly Denial[] }) {
  const source = useResource(job.id, (signal) => call("GET /v1/jobs/{id}/source", { path: { id: job.id }, signal }));
  return (
    <Shown of={source} label="Loading the source">
      {(value) => <Files job={job} source={value} denials={denials} />}
    </Shown>
  );
}

const toneOf = (finding: Finding): Mark["severity"] => {
  if (finding.verdict === "confirmed") return "error";
  if (finding.prediction === "refused" || finding.prediction === "not_in_environment" || finding.severity === "high") return "warning";
  return "info";
};

/** A finding's words at its line: what it is, what was foretold, what became of it. */
function findingMark(finding: Finding): Mark {
  const fate = became(finding);
  const foretold = finding.prediction === "unknown" ? "" : ` Foretold: it ${predicted(finding)}${fate ? `; ${fate}` : ""}.`;
  return {
    line: finding.line,
    column: finding.column,
    endLine: finding.end_line,
    endColumn: finding.end_column,
    severity: toneOf(finding),
    source: finding.rule,
    text: `${safe(finding.message, 500).replace(/[.\s]*$/, ".")}${foretold}`,
  };
}

export function marksOf(file: string, findings: readonly Finding[], denials: readonly Denial[]): Mark[] {
  const refused = denials
    .filter((denial) => denial.file === file && denial.line != null)
    .map((denial): Mark => ({ line: denial.line ?? 1, severity: "error", source: "refused", text: safe(denialSays(denial), 800) }));
  return [...refused, ...findings.filter((finding) => finding.file === file).map(findingMark)];
}

function Files({ job, source, denials }: { job: Job; source: JobSource; denials: readonly Denial[] }) {
  const names = useMemo(() => Object.keys(source.files).sort((a, b) => Number(b === source.entry) - Number(a === source.entry) || a.localeCompare(b)), [source]);
  const asked = place.value.query.get("file");
  const file = asked !== null && names.includes(asked) ? asked : (names[0] ?? "");
  const line = Number(place.value.query.get("line"));
  const content = source.files[file];
  const text = content === undefined ? undefined : textOf(content);
  const handle = useRef<EditorHandle>(undefined);
  const marks = useMemo(() => marksOf(file, job.findings ?? [], denials), [file, job.findings, denials]);
  const ready = useSignal(0);

  useEffect(() => {
    if (line > 0) handle.current?.reveal(line);
  }, [file, line, ready.value]);

  const remarks = (name: string) => (job.findings ?? []).filter((finding) => finding.file === name).length + denials.filter((denial) => denial.file === name).length;
  return (
    <div class="source">
      <Tabs
        label="Files"
        tabs={names.map((name) => ({ id: name, label: <span class="mono small">{safe(name, 80)}</span>, count: remarks(name) }))}
        at={file}
        onMove={(name) => setQuery({ file: name, line: undefined })}
      >
        {text === undefined ? (
          <Empty title="This file is not shown" icon="file">
            {typeof content === "object" && content.size != null ? `It is a file of ${bytes(content.size)} that was uploaded before.` : "It is no text."}
          </Empty>
        ) : (
          <div class="source-editor">
            <div class="source-copy">
              <Copy text={text} label="Copy this file" />
            </div>
            <Editor
              key={file}
              value={text}
              label={`${safe(file)}, read only`}
              readOnly
              notes
              python={file.endsWith(".py")}
              marks={marks}
              handle={(made) => {
                handle.current = made;
                if (made) ready.value += 1;
              }}
            />
          </div>
        )}
      </Tabs>
      <Advice job={job} denials={denials} />
      <Given source={source} />
    </div>
  );
}

const FATE: Record<string, readonly [Tone, string]> = { confirmed: ["bad", "happened"], not_reached: ["neutral", "did not happen"] };

/** What was foretold beside what happened. */
function Advice({ job, denials }: { job: Job; denials: readonly Denial[] }) {
  const { findings = [], findings_more: more = 0, missed: unforeseen = [] } = job;
  if (findings.length === 0 && unforeseen.length === 0) return <p class="lead">Nothing was remarked when this source was read.</p>;
  return (
    <section class="advice" aria-label="Foretold and happened">
      <h2>Foretold, and what happened</h2>
      <Scroll label="Foretold, and what happened, table" className="table-scroll">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Place</th>
              <th scope="col">Remark</th>
              <th scope="col">Foretold</th>
              <th scope="col">Happened</th>
            </tr>
          </thead>
          <tbody>
            {findings.map((finding, at) => {
              const fate = finding.verdict ? FATE[finding.verdict] : undefined;
              return (
                <tr key={at}>
                  <td class="nowrap">
                    {finding.file === "" ? (
                      <span class="faint">–</span>
                    ) : (
                      <button type="button" class="link mono small" onClick={() => setQuery({ file: finding.file, line: String(finding.line) })}>
                        {safe(finding.file, 60)}:{finding.line}
                      </button>
                    )}
                  </td>
                  <td class="break">
                    <span class="mono small faint">{safe(finding.rule)}</span> {safe(finding.message, 1000)}.
                    {finding.excerpt && <pre class="excerpt">{safeLines(finding.excerpt, 1000)}</pre>}
                    {finding.remedy && <span class="faint"> {safe(upper(finding.remedy), 500)}</span>}
                  </td>
                  <td class="nowrap">It {predicted(finding)}</td>
                  <td>{fate ? <Badge tone={fate[0]}>{fate[1]}</Badge> : <span class="faint">–</span>}</td>
                </tr>
              );
            })}
            {unforeseen.map((missed, at) => (
              <tr key={`missed-${at}`}>
                <td class="faint">–</td>
                <td class="break">
                  {safe(upper(tried(missed)), 300)} {missed.count > 1 && <span class="faint">{missed.count} times</span>}
                </td>
                <td>
                  <Badge tone="warning">not foretold</Badge>
                </td>
                <td>
                  <Badge tone="bad">refused</Badge>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {more > 0 && <p class="lead">{counted(more, "more finding")} not shown.</p>}
      {denials.length === 0 && job.state === "ended" && <p class="lead">Nothing was refused while it ran.</p>}
    </section>
  );
}

/** What it was given beside its files. */
function Given({ source }: { source: JobSource }) {
  const variables = Object.entries(source.env);
  const stdin = textOf(source.stdin);
  if (source.args.length === 0 && variables.length === 0 && stdin === "") return null;
  return (
    <section class="given" aria-label="What it was given">
      <h2>Given to it</h2>
      <dl class="facts">
        {source.args.length > 0 && (
          <div class="fact">
            <dt>Arguments</dt>
            <dd class="break">
              {source.args.map((argument, at) => (
                <code key={at} class="label">
                  {safe(argument, 300)}
                </code>
              ))}
            </dd>
          </div>
        )}
        {variables.map(([name, value]) => (
          <div class="fact" key={name}>
            <dt class="mono">{safe(name, 100)}</dt>
            <dd class="mono break">{safe(value, 1000)}</dd>
          </div>
        ))}
        {stdin !== "" && (
          <div class="fact">
            <dt>Standard input</dt>
            <dd>{stdin === undefined ? "Bytes that are no text" : <pre class="excerpt">{safeLines(stdin, 4000)}</pre>}</dd>
          </div>
        )}
      </dl>
    </section>
  );
}
