// One stream of changes for all who look: it runs while somebody listens. Where the server has none, "look again" every few
// seconds takes its place.
import { signal } from "@preact/signals";
import { Problem } from "./problem.ts";
import { follow } from "./sse.ts";
import type { Change } from "./v1.ts";

export type Liveness = "off" | "connecting" | "live" | "polling" | "lost";

/** How news come. */
export const liveness = signal<Liveness>("off");

const POLL_MS = 3000;
const listeners = new Set<(change: Change) => void>();
let running: AbortController | undefined;

function tell(change: Change): void {
  for (const listener of [...listeners]) listener(change);
}

/** Says every change to `listener` until the returned function is called. */
export function onChange(listener: (change: Change) => void): () => void {
  listeners.add(listener);
  if (!running) void run((running = new AbortController()));
  return () => {
    listeners.delete(listener);
    // A page that is left and the next one that comes share the stream.
    setTimeout(() => {
      if (listeners.size > 0 || !running) return;
      running.abort();
      running = undefined;
      liveness.value = "off";
    }, 1000);
  };
}

async function run(controller: AbortController): Promise<void> {
  // Whether what happened meanwhile was not told: the lists are older than the connection.
  let late = false;
  try {
    await follow("/v1/changes", {
      signal: controller.signal,
      each: (said) => {
        if (said.event === "problem") return;
        tell(JSON.parse(said.data) as Change);
      },
      state: (state) => {
        if (controller.signal.aborted) return;
        if (state === "open") {
          if (late) tell({ type: "missed" });
          late = true;
          liveness.value = "live";
        } else if (state === "waiting") liveness.value = "lost";
        else if (state === "hidden") late = true;
        else if (state === "connecting" && !late) liveness.value = "connecting";
      },
    });
  } catch (thrown) {
    if (controller.signal.aborted) return;
    if (thrown instanceof Problem && thrown.status !== 401) return poll(controller.signal);
  }
  // It is over: whoever listens next begins another.
  if (running !== controller) return;
  running = undefined;
  liveness.value = "off";
}

function poll(signal: AbortSignal): void {
  liveness.value = "polling";
  const timer = setInterval(() => {
    if (document.visibilityState === "visible") tell({ type: "missed" });
  }, POLL_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}
