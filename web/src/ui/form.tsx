// Forms in dialogs, and secrets that are shown once.
import type { ComponentChildren } from "preact";
import { useSignal } from "@preact/signals";
import { asProblem, type Problem } from "../api/problem.ts";
import { Copy } from "./copy.tsx";
import { Dialog } from "./dialog.tsx";
import { Notice, Refused } from "./state.tsx";

/** A word to filter by. What is typed and not given yet stays, however often the page around it is drawn meanwhile. */
export function FilterField({ label, value, give, ...more }: { label: string; value: string; placeholder: string; list?: string; give: (word: string) => void }) {
  const typed = useSignal<string | undefined>(undefined);
  const done = () => (typed.value = undefined);
  return (
    <input
      class="filter"
      type="search"
      aria-label={label}
      {...more}
      value={typed.value ?? value}
      onInput={(event) => (typed.value = event.currentTarget.value)}
      onChange={(event) => {
        done();
        give(event.currentTarget.value.trim());
      }}
      onBlur={done}
    />
  );
}

export type FormProps = {
  title: string;
  act: string;
  children: ComponentChildren;
  onClose: () => void;
  /** Does it; the dialog closes when that has succeeded, unless it is told to stay. */
  carryOut: () => Promise<unknown>;
  stays?: boolean;
  wide?: boolean;
  /** What is still wrong with what was written. */
  wrong?: string | undefined;
};

export function FormDialog({ title, act, children, onClose, carryOut, stays, wide, wrong }: FormProps) {
  const busy = useSignal(false);
  const problem = useSignal<Problem | undefined>(undefined);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy.value || wrong !== undefined) return;
    busy.value = true;
    problem.value = undefined;
    try {
      await carryOut();
      if (!stays) onClose();
    } catch (thrown) {
      problem.value = asProblem(thrown);
    }
    busy.value = false;
  };
  return (
    <Dialog title={title} onClose={onClose} {...(wide && { wide })}>
      <form class="dialog-body form" onSubmit={(event) => void submit(event)}>
        {children}
        {wrong !== undefined && wrong !== "" && <p class="field-problem">{wrong}</p>}
        {problem.value && <Refused problem={problem.value} />}
        <div class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>
            Leave it
          </button>
          <button type="submit" class="button primary" disabled={busy.value || wrong !== undefined}>
            {act}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** A secret that nobody can show again. */
export function SecretDialog({ title, secret, children, onClose }: { title: string; secret: string; children: ComponentChildren; onClose: () => void }) {
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="dialog-body">
        <Notice kind="warning">This is shown once. Copy it now: nobody can show it again.</Notice>
        <div class="secret">
          <code class="break" data-secret>
            {secret}
          </code>
          <Copy text={secret} words="Copy" label="Copy the secret" />
        </div>
        {children}
      </div>
      <div class="dialog-foot">
        <button type="button" class="button primary" onClick={onClose}>
          I have it
        </button>
      </div>
    </Dialog>
  );
}

export function Field({ label, hint, problem, children }: { label: string; hint?: ComponentChildren; problem?: string | undefined; children: ComponentChildren }) {
  return (
    <label class="field">
      <span>{label}</span>
      {children}
      {problem ? <span class="field-problem">{problem}</span> : hint !== undefined && <span class="field-hint">{hint}</span>}
    </label>
  );
}
