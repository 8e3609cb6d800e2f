import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call } from "../api/client.ts";
import { asProblem, type Problem } from "../api/problem.ts";
import { session } from "../api/session.ts";
import type { Explained } from "../api/v1.ts";
import { Field } from "../ui/form.tsx";
import { Failed, Notice } from "../ui/state.tsx";
import { safe, safeLines } from "../ui/text.ts";
import { NameField, useProjects, useUsers } from "./lists.tsx";
import { ACTIONS } from "./words.ts";

/** Whether somebody may do something, by which policies, and what would change that. */
export function ExplainTab() {
  const users = useUsers();
  const projects = useProjects();
  const user = useSignal("");
  const action = useSignal("job.submit");
  const project = useSignal("");
  const job = useSignal("");
  const all = projects.value.value?.projects;
  useEffect(() => {
    if (all?.[0] && project.peek() === "") project.value = all[0].name;
  }, [all]);
  const answer = useSignal<Explained | undefined>(undefined);
  const problem = useSignal<Problem | undefined>(undefined);
  const busy = useSignal(false);
  const ask = async (event: Event) => {
    event.preventDefault();
    busy.value = true;
    problem.value = undefined;
    answer.value = undefined;
    try {
      const me = session.peek()?.who.user.name;
      answer.value = await call("POST /v1/access/explain", {
        body: { action: action.peek(), ...(user.peek() && user.peek() !== me && { user: user.peek() }), ...(project.peek() && { project: project.peek() }), ...(job.peek() && { job: job.peek() }) },
        again: true,
      });
    } catch (thrown) {
      problem.value = asProblem(thrown);
    }
    busy.value = false;
  };
  const said = answer.value;
  return (
    <div class="explain">
      <form class="form" onSubmit={(event) => void ask(event)}>
        <div class="form-pair">
          <NameField label="May" value={user.value} names={users.value.value?.users.map((one) => one.name) ?? []} placeholder={`${session.value?.who.user.name ?? ""} (you, with this key)`} onInput={(value) => (user.value = value)} />
          <Field label="do this">
            <select value={action.value} onChange={(event) => (action.value = event.currentTarget.value)}>
              {ACTIONS.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          </Field>
          <Field label="in">
            <select value={project.value} onChange={(event) => (project.value = event.currentTarget.value)}>
              <option value="">the whole platform</option>
              {projects.value.value?.projects.map((one) => (
                <option key={one.id} value={one.name}>
                  {safe(one.name, 60)}
                </option>
              ))}
            </select>
          </Field>
          <Field label="to this job">
            <input class="mono" value={job.value} placeholder="job_…, or nothing" spellcheck={false} autocapitalize="off" onInput={(event) => (job.value = event.currentTarget.value.trim())} />
          </Field>
        </div>
        <div>
          <button type="submit" class="button primary" disabled={busy.value}>
            {busy.value ? "Asking…" : "Ask"}
          </button>
        </div>
      </form>
      <div aria-live="polite">
        {problem.value && <Failed problem={problem.value} />}
        {said && (
          <div class="answer">
            <Notice kind={said.allowed ? "good" : "error"}>
              <b>{said.allowed ? "Yes. " : "No. "}</b>
              {safe(said.says, 1000)}
            </Notice>
            {said.remedies.length > 0 && (
              <div>
                <h2>What would change that</h2>
                <ul class="bullets">
                  {said.remedies.map((remedy, at) => (
                    <li key={at}>{safe(remedy, 600)}</li>
                  ))}
                </ul>
              </div>
            )}
            <p class="faint">{said.roles.length === 0 ? "No role counts there." : `Roles that count there: ${safe(said.roles.join(", "), 300)}.`}</p>
            {said.policies.map((policy) => (
              <figure key={policy.id} class="policy">
                <figcaption class="small">
                  <b class="mono">{safe(policy.id, 100)}</b> <span class="faint">in {safe(policy.file, 100)}</span>
                </figcaption>
                <pre class="excerpt" tabIndex={0} role="group" aria-label={`Text of the policy ${safe(policy.id, 100)}`}>{safeLines(policy.text, 8000)}</pre>
              </figure>
            ))}
          </div>
        )}
      </div>
    </div>
  );
}
