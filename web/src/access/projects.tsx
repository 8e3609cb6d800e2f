import { useSignal } from "@preact/signals";
import { call } from "../api/client.ts";
import { holds, inScope, sees } from "../api/session.ts";
import type { Class, Destination, LimitsAsked, Project, ProjectChange, Quota, StartAsked } from "../api/v1.ts";
import { to } from "../router.ts";
import { Badge } from "../ui/badge.tsx";
import { Field, FormDialog } from "../ui/form.tsx";
import { bytes, counted, cpus, duration } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { LIMITS, limitProblem, readLimit, writeLimit } from "../ui/limits.ts";
import { readCount, readDuration, readSize, writeDuration, writeSize } from "../ui/quantity.ts";
import { Rows, type Cells } from "../ui/rows.tsx";
import { Empty, Shown } from "../ui/state.tsx";
import { safe } from "../ui/text.ts";
import { toast } from "../ui/toast.tsx";
import { useProjects } from "./lists.tsx";

export function ProjectsTab() {
  const projects = useProjects();
  const making = useSignal(false);
  const editing = useSignal<Project | undefined>(undefined);
  const makes = inScope("admin") && holds(["owner", "operator"], "platform");
  const changes = (one: Project) => inScope("admin") && holds(["owner", "operator"], one.id);
  const columns: Cells<Project>[] = [
    {
      title: "Project",
      cell: (one) => (
        <>
          <b>{safe(one.name, 80)}</b> {one.suspended && <Badge tone="warning">suspended</Badge>}
          <div class="faint small">weight {one.weight}</div>
        </>
      ),
    },
    {
      title: "One job, at most",
      cell: (one) => (
        <>
          {bytes(one.ceiling.memory_bytes)}, {duration(one.ceiling.wall_ms)}, {cpus(one.ceiling.cpus_milli)}
          <div class="faint small">class {one.class_most} at most</div>
        </>
      ),
    },
    {
      title: "All together",
      cell: (one) => (
        <>
          {counted(one.quota.running, "job")} at once
          <div class="faint small">
            {duration(one.quota.cpu_ms_per_day)} of CPU time a day, {bytes(one.quota.stored_bytes)} kept
          </div>
        </>
      ),
    },
    { title: "Network", cell: (one) => ((one.network_allow ?? []).length === 0 ? <span class="faint">none</span> : <span class="mono small">{safe(one.network_allow?.slice(0, 4).join(", "), 200)}{(one.network_allow?.length ?? 0) > 4 && " …"}</span>) },
    { title: "Starts", cell: (one) => one.start ?? "warm" },
    {
      title: "",
      cell: (one) => (
        <div class="acts">
          {(sees().members || sees().members_of.includes(one.id)) && (
            <a class="button small" href={to("/access", { tab: "roles", project: one.name })} aria-label={`Roles in ${safe(one.name, 80)}`}>
              Roles
            </a>
          )}
          {changes(one) && (
            <button type="button" class="button small" aria-label={`Change ${safe(one.name, 80)}`} onClick={() => (editing.value = one)}>
              Change
            </button>
          )}
        </div>
      ),
    },
  ];
  return (
    <>
      <Shown of={projects} label="Loading the projects">
        {(value) => (
          <>
            <div class="tab-head">
              <span class="faint">{counted(value.projects.length, "project")}</span>
              <span class="push" />
              {makes && (
                <button type="button" class="button" onClick={() => (making.value = true)}>
                  <Icon name="plus" /> New project
                </button>
              )}
            </div>
            {value.projects.length === 0 ? <Empty title="You see no project" icon="access" /> : <Rows label="Projects" columns={columns} rows={value.projects} keyOf={(one) => one.id} />}
          </>
        )}
      </Shown>
      {making.value && <NewProject onClose={() => (making.value = false)} onMade={projects.reload} />}
      {editing.value && <Change project={editing.value} onClose={() => (editing.value = undefined)} onChanged={projects.reload} />}
    </>
  );
}

function NewProject({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const name = useSignal("");
  return (
    <FormDialog
      title="New project"
      act="Make the project"
      onClose={onClose}
      wrong={name.value === "" ? "" : undefined}
      carryOut={async () => {
        await call("POST /v1/projects", { body: { name: name.peek() } });
        toast(`${name.peek()} is there. Roles in it come next.`);
        onMade();
      }}
    >
      <Field label="Name" hint="1 to 64 letters, digits, dots, dashes and underscores. The rest has the installation's defaults, and can be changed.">
        <input autofocus value={name.value} spellcheck={false} autocapitalize="off" autocomplete="off" onInput={(event) => (name.value = event.currentTarget.value.trim())} />
      </Field>
    </FormDialog>
  );
}

const QUOTA: readonly (readonly [keyof Quota, string, (text: string) => number | undefined, (value: number) => string, string])[] = [
  ["running", "Jobs at once", readCount, String, "64"],
  ["queued", "Jobs waiting", readCount, String, "1000"],
  ["cpu_ms_per_day", "CPU time a day", readDuration, writeDuration, "10h"],
  ["stored_bytes", "Kept", readSize, writeSize, "10G"],
];
type Texts = Record<string, string>;
const quotaTexts = (quota: Quota): Texts => Object.fromEntries(QUOTA.map(([name, , , write]) => [name, write(quota[name])]));
function quotaOf(texts: Texts): Quota | string {
  const quota: Partial<Quota> = {};
  for (const [name, label, read, , example] of QUOTA) {
    const value = read(texts[name] ?? "");
    if (value === undefined) return `${label}: write it like ${example}.`;
    quota[name] = value;
  }
  return quota as Quota;
}

function Change({ project, onClose, onChanged }: { project: Project; onClose: () => void; onChanged: () => void }) {
  const ceiling = useSignal<Texts>(Object.fromEntries(LIMITS.map((field) => [field.name, writeLimit(field, project.ceiling[field.of])])));
  const quota = useSignal(quotaTexts(project.quota));
  const userQuota = useSignal(quotaTexts(project.user_quota));
  const allow = useSignal((project.network_allow ?? []).join("\n"));
  const weight = useSignal(String(project.weight));
  const suspended = useSignal(project.suspended);
  const most = useSignal<Class>(project.class_most);
  const start = useSignal<StartAsked>(project.start ?? "warm");

  const whole = quotaOf(quota.value);
  const each = quotaOf(userQuota.value);
  const badLimit = LIMITS.find((field) => limitProblem(field, ceiling.value[field.name] ?? "", undefined) !== undefined || ceiling.value[field.name]?.trim() === "");
  const wrong =
    readCount(weight.value) === undefined
      ? "Weight: a whole number from 1 to 1000."
      : badLimit
        ? `${badLimit.label}: ${limitProblem(badLimit, ceiling.value[badLimit.name] ?? "", undefined) ?? "write something."}`
        : typeof whole === "string"
          ? whole
          : typeof each === "string"
            ? `Each user: ${each}`
            : undefined;

  const carryOut = async () => {
    // Only what was changed is sent: a newer setting of somebody else stays.
    const change: ProjectChange = {};
    if (Number(weight.value) !== project.weight) change.weight = Number(weight.value);
    if (suspended.value !== project.suspended) change.suspended = suspended.value;
    if (most.value !== project.class_most) change.class_most = most.value;
    if (start.value !== (project.start ?? "warm")) change.start = start.value;
    const limits: LimitsAsked = {};
    for (const field of LIMITS) {
      const text = ceiling.value[field.name] ?? "";
      if (readLimit(field, text) !== project.ceiling[field.of]) limits[field.name] = text.trim();
    }
    if (Object.keys(limits).length > 0) change.ceiling = limits;
    if (typeof whole !== "string" && JSON.stringify(quotaTexts(whole)) !== JSON.stringify(quotaTexts(project.quota))) change.quota = whole;
    if (typeof each !== "string" && JSON.stringify(quotaTexts(each)) !== JSON.stringify(quotaTexts(project.user_quota))) change.user_quota = each;
    const places = allow.value.split("\n").map((line) => line.trim()).filter((line) => line !== "") as Destination[];
    if (JSON.stringify(places) !== JSON.stringify(project.network_allow ?? [])) change.network_allow = places;
    if (Object.keys(change).length === 0) return;
    await call("PATCH /v1/projects/{name}", { path: { name: project.id }, body: change });
    toast(`${project.name} was changed.`);
    onChanged();
  };

  const quotaFields = (texts: typeof quota) =>
    QUOTA.map(([name, label, , , example]) => (
      <Field key={name} label={label}>
        <input class="mono" value={texts.value[name] ?? ""} placeholder={example} spellcheck={false} onInput={(event) => (texts.value = { ...texts.value, [name]: event.currentTarget.value })} />
      </Field>
    ));
  return (
    <FormDialog title={`Change ${safe(project.name, 80)}`} act="Save" wide onClose={onClose} wrong={wrong} carryOut={carryOut}>
      <div class="form-pair">
        <Field label="Weight" hint="Its share of a full queue, 1 to 1000">
          <input class="mono" inputMode="numeric" value={weight.value} onInput={(event) => (weight.value = event.currentTarget.value)} />
        </Field>
        <Field label="Highest priority">
          <select value={most.value} onChange={(event) => (most.value = event.currentTarget.value as Class)}>
            <option value="low">low</option>
            <option value="normal">normal</option>
            <option value="high">high</option>
          </select>
        </Field>
        <Field label="Starts, at least">
          <select value={start.value} onChange={(event) => (start.value = event.currentTarget.value as StartAsked)}>
            <option value="warm">warm</option>
            <option value="fresh">fresh</option>
            <option value="cold">cold</option>
          </select>
        </Field>
      </div>
      <label class="check">
        <input type="checkbox" checked={suspended.value} onChange={(event) => (suspended.value = event.currentTarget.checked)} /> Suspended: it takes no jobs
      </label>
      <fieldset>
        <legend>One job, at most</legend>
        <div class="limits">
          {LIMITS.map((field) => (
            <Field key={field.name} label={field.label}>
              <input class="mono" value={ceiling.value[field.name] ?? ""} placeholder={field.example} spellcheck={false} onInput={(event) => (ceiling.value = { ...ceiling.value, [field.name]: event.currentTarget.value })} />
            </Field>
          ))}
        </div>
      </fieldset>
      <fieldset>
        <legend>All together</legend>
        <div class="limits">{quotaFields(quota)}</div>
      </fieldset>
      <fieldset>
        <legend>Each user in it</legend>
        <div class="limits">{quotaFields(userQuota)}</div>
      </fieldset>
      <Field label="Where its jobs may connect to" hint="One place a line: pypi.org:443, *.example.org:443. Nowhere when empty.">
        <textarea class="mono" rows={3} value={allow.value} spellcheck={false} onInput={(event) => (allow.value = event.currentTarget.value)} />
      </Field>
    </FormDialog>
  );
}
