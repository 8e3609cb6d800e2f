// Server-sent events over fetch: EventSource cannot say what went wrong, and cannot begin after a given event.
import { request, pause } from "./client.ts";
import { asProblem, Problem } from "./problem.ts";

export type Said = { id: string | undefined; event: string; data: string };

/** Reads the text of an event stream piece by piece. */
export class EventReader {
  #rest = "";
  #data: string[] = [];
  #event = "";
  #id: string | undefined;

  push(text: string): Said[] {
    const said: Said[] = [];
    this.#rest += text;
    let from = 0;
    const lineEnd = /[\r\n]/g;
    for (;;) {
      lineEnd.lastIndex = from;
      const at = lineEnd.exec(this.#rest)?.index;
      if (at === undefined) break;
      // A carriage return at the very end may be half of a line's end.
      if (this.#rest[at] === "\r" && at + 1 === this.#rest.length) break;
      const line = this.#rest.slice(from, at);
      from = at + (this.#rest.startsWith("\r\n", at) ? 2 : 1);
      const one = this.#line(line);
      if (one) said.push(one);
    }
    this.#rest = this.#rest.slice(from);
    return said;
  }

  #line(line: string): Said | undefined {
    if (line === "") {
      const data = this.#data;
      const one = { id: this.#id, event: this.#event || "message", data: data.join("\n") };
      this.#data = [];
      this.#event = "";
      this.#id = undefined;
      return data.length > 0 ? one : undefined;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    if (field === "event") this.#event = value;
    if (field === "id" && !value.includes("\0")) this.#id = value;
    return undefined;
  }
}

export type Following = "connecting" | "open" | "waiting" | "hidden" | "over";

export type FollowOptions = {
  /** Where to begin: the id of the last event that is known. */
  after?: string;
  /** One event. What it returns as `true` is the end. */
  each: (said: Said) => boolean | void;
  /** How the connection is. */
  state?: (state: Following, problem?: Problem) => void;
  signal: AbortSignal;
};

const SILENCE_MOST_MS = 45_000; // a comment comes every 15 seconds
const BACKOFF_MOST_MS = 15_000;

/** Waits until somebody can see the page. */
function seen(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", look);
      signal.removeEventListener("abort", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look);
    look();
  });
}

/** Follows a stream through broken connections, until it is over, is aborted, or answers with what waiting does not mend. While
 * the page is hidden it rests: a browser has six connections to a server for all its tabs, and would have none left for the
 * one that is looked at. */
export async function follow(url: string, options: FollowOptions): Promise<void> {
  let after = options.after;
  let failures = 0;
  const { signal, state } = options;
  while (!signal.aborted) {
    if (document.hidden) {
      state?.("hidden");
      await seen(signal);
      continue;
    }
    state?.("connecting");
    const hidden = new AbortController();
    const hide = () => document.hidden && hidden.abort();
    document.addEventListener("visibilitychange", hide);
    const silence = new AbortController();
    const either = AbortSignal.any([signal, silence.signal, hidden.signal]);
    let timer = setTimeout(() => silence.abort(), SILENCE_MOST_MS);
    let problem: Problem | undefined;
    try {
      const headers = { Accept: "text/event-stream", ...(after !== undefined && { "Last-Event-ID": after }) };
      const response = await request("GET", url, { headers, signal: either });
      state?.("open");
      const bytes = response.body?.getReader();
      if (!bytes) return;
      const decoder = new TextDecoder();
      const reader = new EventReader();
      for (;;) {
        const { done, value } = await bytes.read();
        if (done) break;
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MOST_MS);
        for (const said of reader.push(decoder.decode(value, { stream: true }))) {
          failures = 0;
          if (said.id !== undefined) after = said.id;
          if (options.each(said) === true) {
            silence.abort();
            state?.("over");
            return;
          }
        }
      }
    } catch (thrown) {
      if (signal.aborted) return;
      problem = silence.signal.aborted || hidden.signal.aborted ? undefined : asProblem(thrown);
      if (problem && !problem.passing) {
        state?.("over", problem);
        throw problem;
      }
    } finally {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", hide);
    }
    if (hidden.signal.aborted) continue;
    failures += 1;
    state?.("waiting", problem);
    const backoff = Math.min(250 * 2 ** failures, BACKOFF_MOST_MS);
    // Not all who lost the same server shall come back in the same instant.
    await pause(problem?.retryAfterMs ?? backoff * (0.5 + Math.random() / 2), signal).catch(() => undefined);
  }
}
