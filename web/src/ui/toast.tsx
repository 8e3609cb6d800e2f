// Short words about what was just done.
import { signal } from "@preact/signals";
import { asProblem } from "../api/problem.ts";
import { Icon } from "./icon.tsx";
import { safe } from "./text.ts";

type Toast = { id: number; kind: "good" | "error"; text: string };
const toasts = signal<Toast[]>([]);
let last = 0;

const drop = (id: number) => (toasts.value = toasts.value.filter((one) => one.id !== id));

export function toast(text: string, kind: "good" | "error" = "good"): void {
  const id = ++last;
  toasts.value = [...toasts.value.slice(-3), { id, kind, text }];
  setTimeout(() => drop(id), kind === "good" ? 4000 : 12_000);
}

export function toastProblem(thrown: unknown): void {
  const problem = asProblem(thrown);
  toast(`${problem.says} ${problem.remedy}`.trim(), "error");
}

export function Toasts() {
  return (
    <div class="toasts" role="region" aria-label="Messages" aria-live="polite">
      {toasts.value.map((one) => (
        <div key={one.id} class={`toast ${one.kind}`}>
          <Icon name={one.kind === "good" ? "check" : "warning"} />
          <span>{safe(one.text, 2000)}</span>
          <button type="button" class="button quiet icon-only" aria-label="Dismiss" onClick={() => drop(one.id)}>
            <Icon name="close" size={12} />
          </button>
        </div>
      ))}
    </div>
  );
}
