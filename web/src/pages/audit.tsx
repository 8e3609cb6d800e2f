// Who did what, and whether it was allowed: the log, newest first, searched by the server.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { call } from "../api/client.ts";
import { asProblem, type Problem } from "../api/problem.ts";
import { holds, session } from "../api/session.ts";
import type { AuditRow, AuditVerdict } from "../api/v1.ts";
import { place, setQuery, to } from "../router.ts";
import { ACTIONS } from "../access/words.ts";
import { Badge } from "../ui/badge.tsx";
import { Copy } from "../ui/copy.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { FilterField } from "../ui/form.tsx";
import { count, counted, dateAndClock } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { Empty, Failed, Loading, Notice } from "../ui/state.tsx";
import { safe, safeLines } from "../ui/text.ts";
import { Ago } from "../ui/time.tsx";

const PAGE = 100;
/** A search for what is rare goes on by itself through so many pages that have nothing. */
const EMPTY_PAGES = 10;

const SPANS = [
  ["", "All times"],
  ["1h", "Last hour"],
  ["24h", "Last day"],
  ["7d", "Last 7 days"],
  ["30d", "Last 30 days"],
] as const;
const MS: Record<string, number> = { "1h": 3_600_000, "24h": 86_400_000, "7d": 7 * 86_400_000, "30d": 30 * 86_400_000 };

export default function Audit() {
  const query = place.value.query;
  const of = (name: string) => query.get(name) ?? "";
  const filter = { actor: of("actor"), action: of("action"), resource: of("resource"), allowed: of("allowed"), project: of("project"), span: of("span") };
  // Who may read the log of a project only is shown that.
  const here = holds(["owner", "auditor"], "platform") ? "" : (session.value?.who.roles.find((one) => one.role === "owner" || one.role === "auditor")?.project_name ?? "");
  if (filter.project === "") filter.project = here;
  const key = JSON.stringify(filter);
  const rows = useSignal<readonly AuditRow[] | undefined>(undefined);
  const next = useSignal<number | undefined>(undefined);
  const problem = useSignal<Problem | undefined>(undefined);
  const busy = useSignal(false);
  const shown = useSignal<AuditRow | undefined>(undefined);
  const verifying = useSignal(false);
  const controller = useRef<AbortController>(undefined);

  const read = async (after: number | undefined) => {
    const { signal } = (controller.current ??= new AbortController());
    busy.value = true;
    problem.value = undefined;
    const from = MS[filter.span] === undefined ? undefined : new Date(Date.now() - (MS[filter.span] ?? 0)).toISOString();
    const asked = {
      order: "newest" as const,
      limit: PAGE,
      ...(filter.actor && { actor: filter.actor }),
      ...(filter.action && { action: filter.action }),
      ...(filter.resource && { resource: filter.resource }),
      ...(filter.project && { project: filter.project }),
      ...(filter.allowed && { allowed: filter.allowed === "yes" }),
      ...(from && { from }),
    };
    try {
      let place = after;
      for (let page = 0; page < EMPTY_PAGES; page++) {
        const list = await call("GET /v1/audit", { query: { ...asked, ...(place !== undefined && { after: place }) }, signal });
        if (signal.aborted) return;
        rows.value = [...(rows.peek() ?? []), ...list.rows];
        place = list.next ?? undefined;
        if (list.rows.length > 0 || place === undefined) break;
      }
      next.value = place;
    } catch (thrown) {
      if (!signal.aborted) problem.value = asProblem(thrown);
    } finally {
      if (!signal.aborted) busy.value = false;
    }
  };
  const begin = () => {
    controller.current?.abort();
    controller.current = undefined;
    rows.value = undefined;
    next.value = undefined;
    void read(undefined);
  };
  useEffect(() => {
    begin();
    return () => controller.current?.abort();
  }, [key]);

  const narrow = Object.entries(filter).some(([name, value]) => value !== "" && !(name === "project" && value === here));
  return (
    <div class="page">
      <div class="page-head">
        <h1>Audit</h1>
        <span class="push" />
        <button type="button" class="button" onClick={begin}>
          <Icon name="again" /> Read again
        </button>
        <button type="button" class="button" onClick={() => (verifying.value = true)}>
          <Icon name="posture" /> Verify the log
        </button>
      </div>
      <search class="filters" aria-label="Search the log">
        <FilterField placeholder="Actor" label="Actor: a user, worker, system or nobody" value={filter.actor} give={(actor) => setQuery({ actor })} />
        <FilterField list="audit-actions" placeholder="Action" label="Action, such as key.create, or key for all of them" value={filter.action} give={(action) => setQuery({ action })} />
        <datalist id="audit-actions">
          {ACTIONS.map((action) => (
            <option key={action} value={action} />
          ))}
        </datalist>
        <FilterField placeholder="About" label="About what: an id, or platform" value={filter.resource} give={(resource) => setQuery({ resource })} />
        <FilterField placeholder="Project" label="Project, by name" value={filter.project} give={(project) => setQuery({ project })} />
        <select aria-label="Allowed or refused" value={filter.allowed} onChange={(event) => setQuery({ allowed: event.currentTarget.value })}>
          <option value="">Any answer</option>
          <option value="no">Refused</option>
          <option value="yes">Allowed</option>
        </select>
        <select aria-label="Since when" value={filter.span} onChange={(event) => setQuery({ span: event.currentTarget.value })}>
          {SPANS.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
        {narrow && (
          <button type="button" class="button small" onClick={() => setQuery({ actor: undefined, action: undefined, resource: undefined, allowed: undefined, project: undefined, span: undefined })}>
            <Icon name="close" size={12} /> Clear
          </button>
        )}
      </search>
      <section class="panel" aria-label="The log" aria-busy={busy.value}>
        {rows.value === undefined ? (
          problem.value ? (
            <Failed problem={problem.value} again={begin} />
          ) : (
            <Loading label="Reading the log" />
          )
        ) : rows.value.length === 0 && next.value === undefined ? (
          <Empty title={narrow ? "Nothing like that is in the log" : "The log is empty"} icon="audit" />
        ) : (
          <>
            <ul class="audit-rows">
              {rows.value.map((row) => (
                <Row key={row.seq} row={row} onOpen={() => (shown.value = row)} />
              ))}
            </ul>
            {problem.value && <Notice kind="error">{safe(`${problem.value.says} ${problem.value.remedy}`, 1000)}</Notice>}
            <p class="more">
              {next.value === undefined ? (
                <span class="faint small">{counted(rows.value.length, "row")}; that is the beginning of the log.</span>
              ) : (
                <button type="button" class="button small" disabled={busy.value} onClick={() => void read(next.peek())}>
                  {busy.value ? "Reading…" : rows.value.length === 0 ? `Nothing down to row ${count(next.value)}: search further` : "Older rows"}
                </button>
              )}
            </p>
          </>
        )}
      </section>
      {shown.value && <Detail row={shown.value} onClose={() => (shown.value = undefined)} />}
      {verifying.value && <Verify onClose={() => (verifying.value = false)} />}
    </div>
  );
}

function says(row: AuditRow): string {
  const detail = row.detail as Record<string, unknown> | null;
  const parts = [typeof detail?.says === "string" ? detail.says : typeof detail?.code === "string" ? detail.code : "", typeof detail?.count === "number" && detail.count > 1 ? `${detail.count} times` : ""];
  return parts.filter((part) => part !== "").join("; ");
}

function Row({ row, onOpen }: { row: AuditRow; onOpen: () => void }) {
  const words = says(row);
  return (
    <li>
      <button type="button" class="audit-row" onClick={onOpen}>
        <span class="audit-at faint small">
          <Ago at={row.at} />
        </span>
        <span class="audit-what">
          <b class="cut">{safe(row.actor, 60)}</b> <span class="mono small">{safe(row.action, 60)}</span>
        </span>
        <span class="audit-allowed">
          {row.allowed ? (
            <span class="faint small">allowed</span>
          ) : (
            <Badge tone="bad" icon="cross">
              refused
            </Badge>
          )}
        </span>
        <span class="audit-about cut faint">
          <span class="mono small">{safe(row.resource, 80)}</span>
          {words && <> · {safe(words, 200)}</>}
        </span>
        <span class="audit-seq faint small">{count(row.seq)}</span>
      </button>
    </li>
  );
}

function Detail({ row, onClose }: { row: AuditRow; onClose: () => void }) {
  const facts: [string, string | null | undefined][] = [
    ["When", dateAndClock(new Date(row.at))],
    ["Actor", row.actor],
    ["Key", row.key],
    ["Action", row.action],
    ["About", row.resource],
    ["Project", row.project],
    ["Policies", row.policies.join(", ")],
    ["Hash", row.hash],
  ];
  const detail = row.detail == null ? undefined : JSON.stringify(row.detail, null, 2);
  return (
    <Dialog title={`Row ${count(row.seq)}: ${row.allowed ? "allowed" : "refused"}`} onClose={onClose} wide>
      <dl class="detail">
        {facts.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd class={name === "When" || name === "Actor" ? "break" : "break mono small"}>{safe(value, 600)}</dd>
              </div>
            ),
        )}
      </dl>
      {detail !== undefined && <pre class="excerpt" tabIndex={0} role="group" aria-label="More about it">{safeLines(detail, 8000)}</pre>}
      <div class="acts">
        {row.resource.startsWith("job_") && (
          <a class="button small" href={to(`/jobs/${row.resource}`)}>
            The job
          </a>
        )}
        <button type="button" class="button small" onClick={() => (setQuery({ actor: row.actor }), onClose())}>
          All by {safe(row.actor, 40)}
        </button>
        <button type="button" class="button small" onClick={() => (setQuery({ resource: row.resource }), onClose())}>
          All about this
        </button>
        <Copy text={JSON.stringify(row, null, 2)} words="Copy" label="Copy the row" />
      </div>
    </Dialog>
  );
}

function Verify({ onClose }: { onClose: () => void }) {
  const head = useSignal("");
  const verdict = useSignal<AuditVerdict | undefined>(undefined);
  const problem = useSignal<Problem | undefined>(undefined);
  const busy = useSignal(false);
  const verify = (event?: Event) => {
    event?.preventDefault();
    busy.value = true;
    problem.value = undefined;
    verdict.value = undefined;
    const noted = head.peek().trim();
    call("GET /v1/audit/verify", { query: noted === "" ? {} : { head: noted } })
      .then(
        (said) => (verdict.value = said),
        (thrown: unknown) => (problem.value = asProblem(thrown)),
      )
      .finally(() => (busy.value = false));
  };
  useEffect(() => verify(), []);
  const said = verdict.value;
  return (
    <Dialog title="Is the log whole?" onClose={onClose}>
      <form class="dialog-body form" onSubmit={verify}>
        {busy.value && <Loading label="Reading the whole log" />}
        {problem.value && <Failed problem={problem.value} />}
        {said && (
          <Notice kind={said.whole ? "good" : "error"}>
            {said.whole ? `It is whole: each of its ${counted(said.rows, "row")} follows from the one before, up to the seal.` : `It is broken: ${safe(said.broken, 1000)}.`}
          </Notice>
        )}
        {said && (
          <div class="field">
            <span>Head</span>
            <div class="secret">
              <code class="break small">{said.head}</code>
              <Copy text={said.head} label="Copy the head" />
            </div>
            <span class="field-hint">Note it elsewhere: a log that is exchanged as a whole does not contain it.</span>
          </div>
        )}
        <label class="field">
          <span>A head that was noted before</span>
          <input class="mono" value={head.value} spellcheck={false} autocapitalize="off" placeholder="hexadecimal" onInput={(event) => (head.value = event.currentTarget.value)} />
        </label>
        <div class="dialog-foot">
          <button type="submit" class="button" disabled={busy.value}>
            Verify again
          </button>
        </div>
      </form>
    </Dialog>
  );
}
