// Signing in. It stands in the place of whatever page was asked for, so that one is there afterwards.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { signIn } from "./api/client.ts";
import { asProblem, type Problem } from "./api/problem.ts";
import { sessionEnded } from "./api/session.ts";
import { Icon } from "./ui/icon.tsx";
import { Notice } from "./ui/state.tsx";

export function SignIn() {
  const field = useRef<HTMLInputElement>(null);
  const problem = useSignal<Problem | undefined>(undefined);
  const busy = useSignal(false);

  useEffect(() => {
    document.title = "Sign in · Gambeson";
    field.current?.focus();
  }, []);

  const submit = async (event: Event) => {
    event.preventDefault();
    const key = field.current?.value.trim() ?? "";
    if (key === "") return;
    busy.value = true;
    problem.value = undefined;
    try {
      await signIn(key);
    } catch (thrown) {
      problem.value = asProblem(thrown);
      busy.value = false;
      field.current?.select();
    }
  };

  return (
    <main class="sign-in" id="main">
      <form class="sign-in-box" onSubmit={(event) => void submit(event)} autocomplete="on">
        <div class="brand big">
          <Icon name="brand" /> Gambeson
        </div>
        <h1>Sign in</h1>
        {sessionEnded.value && !problem.value && <Notice kind="info">{sessionEnded.value}</Notice>}
        <label class="field">
          <span>Key</span>
          <input
            ref={field}
            class="mono"
            type="password"
            name="key"
            autocomplete="current-password"
            autocapitalize="off"
            spellcheck={false}
            placeholder="gmb_…"
            required
            aria-describedby="key-hint"
            aria-invalid={problem.value ? true : undefined}
          />
        </label>
        {problem.value && (
          <Notice kind="error">
            {problem.value.status === 401 ? "This key is not valid: it may be mistyped, expired or revoked." : `${problem.value.says} ${problem.value.remedy}`}
          </Notice>
        )}
        <button type="submit" class="button primary wide" disabled={busy.value}>
          {busy.value ? "Signing in…" : "Sign in"}
        </button>
        <p id="key-hint" class="faint">
          The key is exchanged for a session and not kept in this browser. The first one was printed when the server started; others are made with <code>gambeson key create</code>.
        </p>
      </form>
    </main>
  );
}
