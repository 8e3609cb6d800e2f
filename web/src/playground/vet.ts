// Advice while one writes: the source is read a moment after the last change, and an older question is given up.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call } from "../api/client.ts";
import { asProblem, type Problem } from "../api/problem.ts";
import type { Vetted } from "../api/v1.ts";
import { draft, submissionOf } from "./draft.ts";

export const vetted = signal<Vetted | undefined>(undefined);
export const vetting = signal<"asking" | "done" | Problem>("done");

const AFTER_MS = 450;

/** Advice is for who wrote, while they write. */
export function forget(): void {
  vetted.value = undefined;
  vetting.value = "done";
}

/** Has the draft read again and again while the page is shown. */
export function useVet(wait: boolean): void {
  useEffect(() => forget, []);
  const { files, kept, entry, project, network, allow, limits, start } = draft.value;
  useEffect(() => {
    if (wait) return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      vetting.value = "asking";
      call("POST /v1/vet", { body: submissionOf(draft.peek()), signal: controller.signal, again: true }).then(
        (said) => {
          if (controller.signal.aborted) return;
          vetted.value = said;
          vetting.value = "done";
        },
        (thrown: unknown) => {
          if (controller.signal.aborted) return;
          vetted.value = undefined;
          vetting.value = asProblem(thrown);
        },
      );
    }, AFTER_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [files, kept, entry, project, network, allow, limits, start, wait]);
}
