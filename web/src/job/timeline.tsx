import type { ReadonlySignal } from "@preact/signals";
import type { Event as JobEvent, Job } from "../api/v1.ts";
import { bytes, clock, dateAndClock, duration, shortId } from "../ui/format.ts";
import { Icon, type IconName } from "../ui/icon.tsx";
import { Scroll } from "../ui/scroll.tsx";
import { Empty } from "../ui/state.tsx";
import { safe } from "../ui/text.ts";
import { now } from "../ui/time.tsx";
import { denialSays, upper } from "./words.ts";

type Phase = { name: string; ms: number; className: string };

/** How long it waited, started and ran, as parts of one bar. */
export function Phases({ job }: { job: Job }) {
  const submitted = Date.parse(job.submitted_at);
  const started = job.started_at ? Date.parse(job.started_at) : undefined;
  const end = job.ended_at ? Date.parse(job.ended_at) : Math.max(now.value, submitted);
  const phases: Phase[] = [{ name: started === undefined ? "waiting" : "waited", ms: (started ?? end) - submitted, className: "waits" }];
  if (started !== undefined) phases.push({ name: job.ended_at ? "ran" : "running", ms: Math.max(0, end - started), className: "runs" });
  const whole = Math.max(1, end - submitted);
  return (
    <div class="phases" role="img" aria-label={phases.map((phase) => `${phase.name} ${duration(phase.ms)}`).join(", ")}>
      {phases.map((phase) => (
        <div key={phase.name} class={`phase ${phase.className}`} style={{ flexGrow: String(Math.max(phase.ms / whole, 0.004)) }} title={`${phase.name} ${duration(phase.ms)}`} />
      ))}
    </div>
  );
}

function saysOf(event: JobEvent): { icon: IconName; title: string; more?: string; tone?: string } | undefined {
  switch (event.type) {
    case "queued":
      return { icon: "queue", title: "Accepted, and waits" };
    case "leased":
      return { icon: "workers", title: `Taken by worker ${shortId(event.worker)}` };
    case "started":
      return { icon: "play", title: "The program starts" };
    case "denied":
      return { icon: "cross", title: "Refused", more: denialSays(event.denial), tone: "bad" };
    case "egress":
      return {
        icon: "link",
        title: event.host === "*" ? `${event.connections} more connections` : `Connected to ${event.host}:${event.port}`,
        more: `${bytes(event.up_bytes)} out, ${bytes(event.down_bytes)} in, open for ${duration(event.ms)}`,
      };
    case "requeued":
      return { icon: "again", title: "Waits again", more: event.why, tone: "warning" };
    case "cancel_requested":
      return { icon: "stop", title: "Its end was asked for", tone: "warning" };
    case "ended":
      return { icon: event.outcome.kind === "exited" && event.outcome.code === 0 ? "check" : "stop", title: "Ended", more: upper(event.outcome.message) };
    default:
      return undefined;
  }
}

export function TimelinePanel({ job, timeline }: { job: Job; timeline: ReadonlySignal<readonly JobEvent[]> }) {
  const events = timeline.value;
  if (events.length === 0) return <Empty title="Nothing happened yet" icon="clock" />;
  const begin = Date.parse(job.submitted_at);
  let before = begin;
  return (
    <Scroll label="Timeline">
      <ol class="timeline">
        {events.map((event) => {
          const says = saysOf(event);
          if (!says) return null;
          const at = Date.parse(event.at);
          const gap = at - before;
          before = at;
          return (
            <li key={event.seq} class={says.tone ?? ""}>
              <span class="timeline-mark">
                <Icon name={says.icon} size={14} />
              </span>
              <div class="timeline-says">
                <div>
                  <b class="break">{safe(says.title)}</b>
                  {event.attempt > 1 && <span class="faint small"> attempt {event.attempt}</span>}
                </div>
                {says.more && <div class="break faint">{safe(says.more, 1000)}</div>}
              </div>
              <div class="timeline-time">
                <time dateTime={event.at} title={dateAndClock(new Date(event.at))}>
                  {clock(new Date(event.at), true)}
                </time>
                <span class="faint small">{gap > 0 ? `+${duration(gap)}` : "\u00a0"}</span>
              </div>
            </li>
          );
        })}
      </ol>
    </Scroll>
  );
}
