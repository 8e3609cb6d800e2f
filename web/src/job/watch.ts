// Everything that is known of one job as it happens: its log, its samples, its timeline, from the one sequence of its events.
import { signal, type Signal } from "@preact/signals";
import { follow, type Following } from "../api/sse.ts";
import { asProblem, problemOf, type Problem } from "../api/problem.ts";
import type { Denial, Event as JobEvent, Sample } from "../api/v1.ts";
import { Log } from "../log/log.ts";
import { bytes } from "../ui/format.ts";
import { safe } from "../ui/text.ts";

export type Told = { at: string; attempt: number; seq: number; event: JobEvent };

export type Watch = {
  log: Log;
  /** Grows with the log, at most once in a frame. */
  version: Signal<number>;
  samples: Signal<readonly Sample[]>;
  denials: Signal<readonly Denial[]>;
  /** Bytes that it wrote, those that were not kept included. */
  written: Signal<number>;
  /** What happened, without output and samples; bounded. */
  timeline: Signal<readonly JobEvent[]>;
  state: Signal<Following>;
  problem: Signal<Problem | undefined>;
  stop: () => void;
};

const TIMELINE_MOST = 1000;
const SAMPLES_MOST = 20_000;

/** Follows the job from its first event. `changed` is called when the job itself is to be read again. */
export function watch(id: string, changed: () => void): Watch {
  const controller = new AbortController();
  const log = new Log();
  const version = signal(0);
  const samples = signal<readonly Sample[]>([]);
  const denials = signal<readonly Denial[]>([]);
  const written = signal(0);
  const timeline = signal<readonly JobEvent[]>([]);
  const state = signal<Following>("connecting");
  const problem = signal<Problem | undefined>(undefined);

  // Events come by the thousand: what they change is told once in a frame.
  let fresh = { samples: [] as Sample[], denials: [] as Denial[], timeline: [] as JobEvent[], log: false, job: false };
  let bytesWritten = 0;
  let asked = 0;
  const tell = () => {
    asked = 0;
    const news = fresh;
    fresh = { samples: [], denials: [], timeline: [], log: false, job: false };
    if (news.log) {
      version.value += 1;
      written.value = bytesWritten;
    }
    if (news.samples.length > 0) samples.value = thinned([...samples.peek(), ...news.samples]);
    if (news.denials.length > 0) denials.value = [...denials.peek(), ...news.denials];
    if (news.timeline.length > 0 && timeline.peek().length < TIMELINE_MOST) timeline.value = [...timeline.peek(), ...news.timeline];
    if (news.job) changed();
  };
  // A hidden page draws no frames, and shall not pile up what it was told.
  const ask = () => (asked ||= window.setTimeout(tell, 40));

  const take = (event: JobEvent): boolean => {
    switch (event.type) {
      case "output":
        bytesWritten += log.output(event.stream, event.data, event.at);
        fresh.log = true;
        break;
      case "elided":
        bytesWritten += event.bytes;
        log.note(`${bytes(event.bytes)} of ${event.stream === "stdout" ? "output" : "error output"} were not kept: the limit of output was reached.`, event.at);
        fresh.log = true;
        break;
      case "sample":
        fresh.samples.push(event);
        break;
      case "denied":
        fresh.denials.push(event.denial);
        fresh.timeline.push(event);
        break;
      case "started":
        // What an attempt before it used is not what this one uses.
        bytesWritten = 0;
        samples.value = [];
        fresh.samples = [];
        fresh.timeline.push(event);
        fresh.job = true;
        break;
      case "requeued":
        log.end(event.at);
        log.note(`This attempt came to nothing: ${safe(event.why)}`, event.at);
        fresh.log = true;
        fresh.timeline.push(event);
        fresh.job = true;
        break;
      case "ended":
        log.end(event.at);
        fresh.log = true;
        fresh.timeline.push(event);
        fresh.job = true;
        break;
      case "egress":
        fresh.timeline.push(event);
        break;
      case "queued":
      case "leased":
      case "cancel_requested":
        fresh.timeline.push(event);
        fresh.job = true;
        break;
    }
    ask();
    return event.type === "ended";
  };

  void follow(`/v1/jobs/${encodeURIComponent(id)}/events`, {
    signal: controller.signal,
    each: (said) => {
      if (said.event === "problem") {
        problem.value = problemOf(JSON.parse(said.data), 500);
        return false;
      }
      problem.value = undefined;
      return take(JSON.parse(said.data) as JobEvent);
    },
    state: (now) => (state.value = now),
  }).catch((thrown: unknown) => (problem.value = asProblem(thrown)));

  return {
    log,
    version,
    samples,
    denials,
    written,
    timeline,
    state,
    problem,
    stop: () => {
      controller.abort();
      clearTimeout(asked);
    },
  };
}

/** Of very many samples, every second one of the older half goes. */
export function thinned(samples: Sample[]): Sample[] {
  if (samples.length <= SAMPLES_MOST) return samples;
  const half = samples.length >> 1;
  return samples.filter((_, at) => at >= half || at % 2 === 0);
}
