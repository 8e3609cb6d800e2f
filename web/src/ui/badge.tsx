// States in words, with a colour and a picture beside them: never by colour alone.
import type { ComponentChildren } from "preact";
import type { Job, LayerReport } from "../api/v1.ts";
import { Icon, type IconName } from "./icon.tsx";

export type Tone = "neutral" | "info" | "good" | "warning" | "bad";

export function Badge({ tone, icon, children, title }: { tone: Tone; icon?: IconName; children: ComponentChildren; title?: string }) {
  return (
    <span class={`badge ${tone}`} title={title}>
      {icon && <Icon name={icon} size={12} />}
      {children}
    </span>
  );
}

export type Look = { word: string; tone: Tone; icon: IconName };

/** How a job is, in two words at most. */
export function lookOf(job: Pick<Job, "state" | "outcome" | "waiting" | "cancel_requested">): Look {
  if (job.state === "queued") return job.waiting?.held ? { word: "held", tone: "warning", icon: "held" } : { word: "waiting", tone: "neutral", icon: "clock" };
  if (job.state !== "ended" && job.cancel_requested) return { word: "cancelling", tone: "warning", icon: "stop" };
  if (job.state === "starting") return { word: "starting", tone: "info", icon: "running" };
  if (job.state === "running") return { word: "running", tone: "info", icon: "running" };
  const outcome = job.outcome;
  switch (outcome?.kind) {
    case "exited":
      return outcome.code === 0 ? { word: "succeeded", tone: "good", icon: "check" } : { word: `exit code ${outcome.code}`, tone: "bad", icon: "cross" };
    case "signalled":
      return { word: `signal ${outcome.signal}`, tone: "bad", icon: "cross" };
    case "limit_hit":
      return { word: `${outcome.limit.replaceAll("_", " ")} limit`, tone: "warning", icon: "warning" };
    case "refused":
      return { word: "refused", tone: "bad", icon: "cross" };
    case "cancelled":
      return { word: "cancelled", tone: "neutral", icon: "stop" };
    case "lost":
      return { word: "lost", tone: "bad", icon: "warning" };
    case "fault":
      return { word: "fault of ours", tone: "bad", icon: "warning" };
    default:
      return { word: "ended", tone: "neutral", icon: "check" };
  }
}

/** Whether a layer is there on some hosts only, and programs are confined without it. */
export const isOptional = (layer: Pick<LayerReport, "name">): boolean => layer.name === "selinux";

/** How a layer is. */
export function lookOfLayer(layer: Pick<LayerReport, "name" | "state">): Look {
  if (layer.state === "held") return { word: "held", tone: "good", icon: "check" };
  return isOptional(layer) ? { word: "missing", tone: "neutral", icon: "info" } : { word: "missing", tone: "bad", icon: "cross" };
}

export function LayerBadge({ layer }: { layer: LayerReport }) {
  const look = lookOfLayer(layer);
  return (
    <Badge tone={look.tone} icon={look.icon}>
      {look.word}
    </Badge>
  );
}

export function JobBadge({ job }: { job: Pick<Job, "state" | "outcome" | "waiting" | "cancel_requested"> }) {
  const look = lookOf(job);
  return (
    <Badge tone={look.tone} icon={look.icon}>
      {look.word}
    </Badge>
  );
}
