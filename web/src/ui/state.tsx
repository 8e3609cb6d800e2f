// What stands where something is not, or not yet.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { Problem } from "../api/problem.ts";
import type { Resource } from "../api/resource.ts";
import { Icon, type IconName } from "./icon.tsx";
import { safe } from "./text.ts";
import { Words } from "./words.tsx";

/** Shows itself only after a moment: what comes at once shall not flicker. */
export function Loading({ label = "Loading" }: { label?: string }) {
  const late = useSignal(false);
  useEffect(() => {
    const timer = setTimeout(() => (late.value = true), 180);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="state loading" role="status">
      {late.value && (
        <>
          <span class="spinner" aria-hidden="true" />
          <span>{label}…</span>
        </>
      )}
    </div>
  );
}

/** Nothing is there, and why that may be so. */
export function Empty({ title, children, icon = "info" }: { title: string; children?: ComponentChildren; icon?: IconName }) {
  return (
    <div class="state empty">
      <Icon name={icon} size={20} />
      <p class="state-title">{title}</p>
      {children && <div class="faint">{children}</div>}
    </div>
  );
}

/** The server's sentence, its remedy, and a way to try again. What the caller may not do is no failure, and looks calmer. */
export function Failed({ problem, again }: { problem: Problem; again?: () => void }) {
  const refused = problem.status === 403 || problem.status === 404 || problem.status === 410;
  return (
    <div class={refused ? "state refused" : "state failed"} role={refused ? "note" : "alert"}>
      <Icon name={problem.status === 403 ? "access" : refused ? "search" : "warning"} size={20} />
      <p class="state-title">{safe(problem.says, 2000)}</p>
      {problem.remedy && (
        <p class="faint">
          <Words text={problem.remedy} />
        </p>
      )}
      {problem.requestId && !refused && <p class="faint mono small">{safe(problem.requestId)}</p>}
      {again && !refused && (
        <button type="button" class="button" onClick={again}>
          <Icon name="again" /> Try again
        </button>
      )}
    </div>
  );
}

type NoticeKind = "info" | "warning" | "error" | "good";
const NOTICE_ICON: Record<NoticeKind, IconName> = { info: "info", warning: "warning", error: "cross", good: "check" };

/** A sentence that stands out. */
export function Notice({ kind, children }: { kind: NoticeKind; children: ComponentChildren }) {
  return (
    <div class={`notice ${kind}`} role={kind === "error" ? "alert" : undefined}>
      <Icon name={NOTICE_ICON[kind]} />
      <div>{children}</div>
    </div>
  );
}

/** What a resource has come to: loading, a problem, or its value. An old value stays beside a new problem. */
export function Shown<T>({ of, label, children }: { of: Resource<T>; label?: string; children: (value: T) => ComponentChildren }) {
  const value = of.value.value;
  const problem = of.problem.value;
  if (value === undefined) return problem ? <Failed problem={problem} again={of.reload} /> : <Loading {...(label !== undefined && { label })} />;
  return (
    <>
      {problem && (
        <Notice kind="warning">
          {safe(problem.says)} What is shown may be old.
        </Notice>
      )}
      {children(value)}
    </>
  );
}

/** Why what was asked in a dialog was not done. */
export function Refused({ problem }: { problem: Problem }) {
  return (
    <Notice kind="error">
      {safe(problem.says, 2000)} {safe(problem.remedy, 2000)}
    </Notice>
  );
}
