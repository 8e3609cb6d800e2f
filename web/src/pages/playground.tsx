// Write, read what is foretold, run, look at what came of it.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { call } from "../api/client.ts";
import { asProblem, Problem } from "../api/problem.ts";
import { useResource } from "../api/resource.ts";
import { holds, inScope, session } from "../api/session.ts";
import type { Denial, Finding, Job, Project } from "../api/v1.ts";
import { marksOf } from "../job/source.tsx";
import { predicted, upper } from "../job/words.ts";
import { change, draft, draftOf, emptyDraft, keepDraft, replace, replaced, submissionOf } from "../playground/draft.ts";
import { EXAMPLES } from "../playground/examples.ts";
import { Options, optionsProblem, optionsSet } from "../playground/options.tsx";
import { Output } from "../playground/output.tsx";
import { useVet, vetted, vetting } from "../playground/vet.ts";
import { place, setQuery, to } from "../router.ts";
import { Badge } from "../ui/badge.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Editor, type EditorHandle, type Mark } from "../ui/editor.tsx";
import { bytes, counted } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { Empty, Failed, Notice } from "../ui/state.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { safe } from "../ui/text.ts";

export default function Playground() {
  const from = place.value.query.get("from");
  const taken = useSignal<"taking" | "ready" | Problem>("taking");
  const taking = useRef<AbortController>(undefined);

  useEffect(() => keepDraft(), []);
  useEffect(() => {
    if (from === null) {
      taken.value = "ready";
      return;
    }
    const controller = (taking.current = new AbortController());
    const { signal } = controller;
    taken.value = "taking";
    Promise.all([call("GET /v1/jobs/{id}", { path: { id: from }, signal }), call("GET /v1/jobs/{id}/source", { path: { id: from }, signal })]).then(
      ([job, source]) => {
        replace(draftOf(job, source));
        taken.value = "ready";
        // A page that is loaded again shall not throw away what was changed since.
        setQuery({ from: undefined });
      },
      (thrown: unknown) => {
        if (!signal.aborted) taken.value = asProblem(thrown);
      },
    );
    return () => controller.abort();
  }, [from]);

  if (taken.value instanceof Problem) {
    return (
      <div class="page">
        <h1>Playground</h1>
        <Failed problem={taken.value} />
        <p>
          <a href={to("/playground")}>Begin with what was written last.</a>
        </p>
      </div>
    );
  }
  return <Bench ready={taken.value === "ready"} />;
}

type Ran = { id: string; files: Record<string, string> };

function Bench({ ready }: { ready: boolean }) {
  const projects = useResource("projects", (signal) => call("GET /v1/projects", { signal }));
  const file = useSignal(draft.peek().entry);
  const tab = useSignal<"output" | "options">("options");
  const ran = useSignal<Ran | undefined>(undefined);
  const job = useSignal<Job | undefined>(undefined);
  const denials = useSignal<readonly Denial[]>([]);
  const refused = useSignal<Problem | undefined>(undefined);
  const sending = useSignal(false);
  const naming = useSignal<"new" | "rename" | undefined>(undefined);
  const handle = useRef<EditorHandle>(undefined);
  useVet(projects.loading.value);

  const now = draft.value;
  const all = projects.value.value?.projects;
  const project = projectOf(all, now.project);
  // The one that pays is always named: whoever has roles in several would be asked.
  useEffect(() => {
    if (project && project.name !== now.project) change({ project: project.name });
  }, [project, now.project]);
  const names = [...Object.keys(now.files), ...Object.keys(now.kept)];
  const here = names.includes(file.value) ? file.value : (names[0] ?? "");
  const text = now.files[here];
  const running = ran.value !== undefined && job.value?.state !== "ended";
  const may = inScope("jobs:write") && holds(["owner", "operator", "submitter"]);
  const problem = optionsProblem(project) ?? (names.length === 0 ? "There is no file to run." : undefined);

  // What was refused is shown at its line for as long as the line is the one that ran.
  const findings = vetted.value?.findings ?? [];
  const marks = useMemo(() => {
    const same = ran.value?.files[here] === text;
    return marksOf(here, findings, same ? denials.value : []);
  }, [here, findings, denials.value, text]);

  const run = async () => {
    if (sending.value || running || problem !== undefined || !may) return;
    sending.value = true;
    refused.value = undefined;
    tab.value = "output";
    try {
      const made = await call("POST /v1/jobs", { body: submissionOf(draft.peek()) });
      const id = "first" in made ? made.first : made.id;
      job.value = undefined;
      denials.value = [];
      ran.value = { id, files: draft.peek().files };
    } catch (thrown) {
      refused.value = asProblem(thrown);
      ran.value = undefined;
    } finally {
      sending.value = false;
    }
  };

  const remarks = (name: string) => findings.filter((finding) => finding.file === name).length;
  return (
    <div
      class="page playground"
      onKeyDown={(event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.defaultPrevented) {
          event.preventDefault();
          void run();
        }
      }}
    >
      <div class="page-head">
        <h1>Playground</h1>
        <span class="push" />
        <select
          aria-label="Begin with an example"
          value=""
          onChange={(event) => {
            const example = EXAMPLES[Number(event.currentTarget.value)];
            event.currentTarget.value = "";
            if (!example) return;
            replace({ ...emptyDraft(example.files), project: now.project });
            file.value = "main.py";
          }}
        >
          <option value="">Examples</option>
          {EXAMPLES.map((example, at) => (
            <option key={example.name} value={at}>
              {example.name}
            </option>
          ))}
        </select>
        {all && all.length > 1 && (
          <select aria-label="Project that pays" value={project?.name ?? ""} onChange={(event) => change({ project: event.currentTarget.value })}>
            {all.map((one) => (
              <option key={one.id} value={one.name}>
                {safe(one.name, 60)}
              </option>
            ))}
          </select>
        )}
        <button type="button" class="button primary" disabled={sending.value || running || problem !== undefined || !may} title="Ctrl-Enter" aria-keyshortcuts="Control+Enter" onClick={() => void run()}>
          <Icon name="play" /> {sending.value ? "Submitting…" : running ? "Running…" : "Run"}
        </button>
      </div>
      {!may && <Notice kind="info">With this key nothing can be submitted: it needs the scope jobs:write and a role such as submitter. The editor and its advice work all the same.</Notice>}
      {problem !== undefined && may && (
        <Notice kind="warning">
          {safe(problem)}{" "}
          {tab.value !== "options" && (
            <button type="button" class="link" onClick={() => (tab.value = "options")}>
              Go to the options
            </button>
          )}
        </Notice>
      )}
      <div class="playground-columns">
        <section class="panel playground-editor" aria-label="Program">
          <div class="playground-files">
            <Tabs label="Files" at={here} onMove={(name) => (file.value = name)} tabs={names.map((name) => ({ id: name, label: <span class="mono small">{safe(name, 60)}</span>, count: remarks(name) }))}>
              {text !== undefined && ready ? (
                <Editor
                  key={`${here} ${replaced.value}`}
                  value={text}
                  label={`Text of ${safe(here, 80)}`}
                  python={here.endsWith(".py")}
                  marks={marks}
                  onChange={(written) => change({ files: { ...draft.peek().files, [here]: written } })}
                  onRun={() => void run()}
                  handle={(made) => (handle.current = made)}
                />
              ) : (
                <KeptFile name={here} ready={ready} />
              )}
            </Tabs>
            <div class="playground-file-acts">
              <button type="button" class="button quiet icon-only small" aria-label="Add a file" title="Add a file" onClick={() => (naming.value = "new")}>
                <Icon name="plus" />
              </button>
              {text !== undefined && (
                <button type="button" class="button quiet small" aria-label={`Rename ${safe(here, 60)}`} onClick={() => (naming.value = "rename")}>
                  Rename
                </button>
              )}
              {names.length > 1 && (
                <button type="button" class="button quiet small" aria-label={`Remove ${safe(here, 60)}`} onClick={() => remove(here)}>
                  Remove
                </button>
              )}
            </div>
          </div>
          <Advice
            findings={findings}
            onGo={(finding) => {
              file.value = finding.file;
              setTimeout(() => handle.current?.reveal(finding.line), finding.file === here ? 0 : 60);
            }}
          />
        </section>
        <section class="panel playground-side" aria-label="Options and output">
          <Tabs
            label="Options and output"
            at={tab.value}
            onMove={(id) => (tab.value = id === "output" ? "output" : "options")}
            tabs={[
              { id: "options", label: "Options", count: optionsSet() },
              { id: "output", label: "Output" },
            ]}
          >
            {tab.value === "options" ? (
              <Options project={project} />
            ) : refused.value ? (
              <Failed problem={refused.value} />
            ) : ran.value ? (
              <Output
                key={ran.value.id}
                id={ran.value.id}
                onJob={(one, refusals) => {
                  job.value = one;
                  denials.value = one.denials ?? refusals;
                }}
              />
            ) : (
              <Empty title={sending.value ? "Submitting…" : "Nothing ran yet"} icon="playground">
                Run the program with <kbd>Ctrl</kbd> <kbd>Enter</kbd>. What it writes comes here, and pictures that it leaves below <code>out/</code>.
              </Empty>
            )}
          </Tabs>
        </section>
      </div>
      {naming.value && <FileName old={naming.value === "rename" ? here : undefined} onClose={() => (naming.value = undefined)} onNamed={(name) => (file.value = name)} />}
    </div>
  );
}

function projectOf(all: readonly Project[] | undefined, named: string): Project | undefined {
  const chosen = all?.find((one) => one.name === named);
  if (!all || chosen) return chosen;
  const who = session.value?.who;
  const bound = all.find((one) => one.id === who?.key.project);
  const own = all.find((one) => who?.roles.some((role) => role.project === one.id && ["owner", "operator", "submitter"].includes(role.role)));
  return bound ?? own ?? all.find((one) => one.name === "default") ?? all[0];
}

function remove(name: string): void {
  const { [name]: _, ...files } = draft.peek().files;
  const { [name]: __, ...kept } = draft.peek().kept;
  const entry = draft.peek().entry === name ? (Object.keys({ ...files, ...kept })[0] ?? "") : draft.peek().entry;
  change({ files, kept, entry });
}

function KeptFile({ name, ready }: { name: string; ready: boolean }) {
  const content = draft.value.kept[name];
  if (!ready || content === undefined) return <div class="state" aria-busy={!ready} />;
  const size = typeof content === "object" ? content.size : undefined;
  return (
    <Empty title="This file goes along as it is" icon="file">
      It is {size != null ? `a file of ${bytes(size)} that was uploaded before` : "no text, or may be executed"}; it cannot be changed here.
    </Empty>
  );
}

function FileName({ old, onClose, onNamed }: { old: string | undefined; onClose: () => void; onNamed: (name: string) => void }) {
  const name = useSignal(old ?? "");
  const { files, kept, entry } = draft.value;
  const wanted = name.value.trim();
  const problem =
    wanted === ""
      ? "Give it a name."
      : wanted !== old && (wanted in files || wanted in kept)
        ? "There is a file of this name."
        : wanted.startsWith("/") || wanted.split("/").some((part) => part === "" || part === "." || part === "..")
          ? "Use a relative path without '..' and empty parts."
          : undefined;
  const done = (event: Event) => {
    event.preventDefault();
    if (problem !== undefined) return;
    const renamed = Object.fromEntries(Object.entries(files).map(([path, text]) => [path === old ? wanted : path, text]));
    change({ files: old === undefined ? { ...files, [wanted]: "" } : renamed, entry: entry === old ? wanted : entry });
    onNamed(wanted);
    onClose();
  };
  return (
    <Dialog title={old === undefined ? "Add a file" : "Rename the file"} onClose={onClose}>
      <form class="dialog-body" onSubmit={done}>
        <label class="field">
          <span>Path below /work</span>
          <input class="mono" autofocus value={name.value} spellcheck={false} autocapitalize="off" placeholder="data/numbers.csv" onInput={(event) => (name.value = event.currentTarget.value)} />
          {problem !== undefined && name.value !== "" && <span class="field-problem">{problem}</span>}
        </label>
        <div class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>
            Leave it
          </button>
          <button type="submit" class="button primary" disabled={problem !== undefined}>
            {old === undefined ? "Add" : "Rename"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

const TONE: Record<Mark["severity"], "bad" | "warning" | "info" | "good"> = { error: "bad", warning: "warning", info: "info", good: "good" };
const toneOf = (finding: Finding): "bad" | "warning" | "info" | "good" => TONE[finding.prediction === "refused" || finding.severity === "high" ? "warning" : "info"];

/** What is foretold: what policy would do with it, and every remark, each leading to its line. */
function Advice({ findings, onGo }: { findings: readonly Finding[]; onGo: (finding: Finding) => void }) {
  const state = vetting.value;
  const policy = vetted.value?.policy;
  const decision =
    policy?.decision === "held"
      ? `It would be held until somebody approves it${policy.why ? `: ${policy.why}` : ""}.`
      : policy?.decision === "refused"
        ? `It would be refused${policy.why ? `: ${policy.why}` : ""}.`
        : undefined;
  return (
    <div class="playground-advice" aria-live="off">
      <div class="advice-head">
        {state instanceof Problem ? (
          <span class="faint small">No advice: {safe(state.says, 300)}</span>
        ) : findings.length === 0 ? (
          <span class="faint small">{state === "asking" && !vetted.value ? "Reading…" : "Nothing to remark."}</span>
        ) : (
          <span class="small">
            <b>{counted(findings.length, "remark")}</b>
            <span class="faint">{vetted.value?.more ? `, ${vetted.value.more} more not shown` : ""}</span>
          </span>
        )}
        <span class="push faint small">{policy && policy.start !== "warm" && `It would start ${policy.start}.`}</span>
      </div>
      {decision && <Notice kind={policy?.decision === "refused" ? "error" : "warning"}>{safe(decision, 1000)}</Notice>}
      {findings.length > 0 && (
        <ul class="remarks">
          {findings.map((finding, at) => (
            <li key={at}>
              <button type="button" class="remark" onClick={() => onGo(finding)}>
                <span class="mono small faint nowrap">
                  {safe(finding.file, 40)}:{finding.line}
                </span>
                <Badge tone={toneOf(finding)}>{finding.rule}</Badge>
                <span class="break">
                  {safe(finding.message, 400)} {finding.prediction !== "unknown" && finding.prediction !== "allowed" && <span class="faint">{upper(`it ${predicted(finding)}`)}.</span>}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
