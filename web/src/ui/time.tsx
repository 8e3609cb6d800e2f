// Times that age as one looks at them, by one clock for the whole page.
import { computed, signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { dateAndClock, duration, relative } from "./format.ts";

/** Now, to the second. */
export const now = signal(Date.now());
setInterval(() => {
  if (document.visibilityState === "visible") now.value = Date.now();
}, 1000);

/** `5 min ago`, and the exact time for who asks. */
export function Ago({ at }: { at: string | null | undefined }) {
  // A signal of its own, so that only a changed word is drawn anew.
  const words = useMemo(() => (at ? computed(() => relative(Date.parse(at), now.value)) : undefined), [at]);
  if (!at || !words) return <span class="faint">–</span>;
  return (
    <time dateTime={at} title={dateAndClock(new Date(at))}>
      {words}
    </time>
  );
}

/** How long it has been since `from`, counting on. */
export function Since({ from }: { from: string }) {
  const words = useMemo(() => computed(() => duration(Math.max(0, Math.floor((now.value - Date.parse(from)) / 1000) * 1000)).replace(/^0 ms$/, "0 s")), [from]);
  return <time dateTime={from}>{words}</time>;
}
