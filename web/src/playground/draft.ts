// What is being written: kept in this tab until it is closed, for the user who wrote it.
import { effect, signal } from "@preact/signals";
import { session, signedOut } from "../api/session.ts";
import type { Class, Destination, FileContent, Job, JobSource, LimitsAsked, Network, StartAsked, Submission } from "../api/v1.ts";
import { textOf } from "../ui/bytes.ts";
import { LIMITS, writeLimit } from "../ui/limits.ts";
import { EXAMPLES } from "./examples.ts";
import { readWords, writeWords } from "./words.ts";

export type Draft = {
  /** Texts, by path. */
  files: Record<string, string>;
  /** Files that are taken along as they are: no text, or not loaded. */
  kept: Record<string, FileContent>;
  entry: string;
  args: string;
  stdin: string;
  /** `NAME=value`, one a line. */
  env: string;
  limits: Partial<Record<keyof LimitsAsked, string>>;
  network: "none" | "loopback" | "allow";
  /** One destination a line. */
  allow: string;
  start: StartAsked;
  class: Class;
  /** By name; empty for "as the server thinks". */
  project: string;
};

const KEPT = "gambeson.draft";

export const emptyDraft = (files: Record<string, string>): Draft => ({
  files,
  kept: {},
  entry: Object.keys(files)[0] ?? "main.py",
  args: "",
  stdin: "",
  env: "",
  limits: {},
  network: "none",
  allow: "",
  start: "warm",
  class: "normal",
  project: "",
});

const first = (): Draft => emptyDraft(EXAMPLES[0]?.files ?? { "main.py": "" });

export const draft = signal<Draft>(first());
/** Grows when the texts are others than those that the editor has. */
export const replaced = signal(0);

export function change(part: Partial<Draft>): void {
  draft.value = { ...draft.peek(), ...part };
}

export function replace(next: Draft): void {
  draft.value = next;
  replaced.value += 1;
}

/** Takes up what was written before in this tab, and keeps what is written from now on. */
export function keepDraft(): () => void {
  const whose = session.peek()?.who.user.id;
  try {
    const found = JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as { whose?: string; draft?: Draft } | null;
    if (found?.draft && found.whose === whose) replace({ ...first(), ...found.draft });
    else replace(first());
  } catch {
    replace(first());
  }
  let timer = 0;
  const keep = () => {
    try {
      sessionStorage.setItem(KEPT, JSON.stringify({ whose, draft: draft.peek() }));
    } catch {
      // Too large, or not allowed: it is still in the editor.
    }
  };
  const stop = effect(() => {
    draft.value;
    clearTimeout(timer);
    timer = window.setTimeout(keep, 300);
  });
  return () => {
    stop();
    clearTimeout(timer);
    if (signedOut.peek()) sessionStorage.removeItem(KEPT);
    else keep();
    // Whoever comes next may be another.
    replace(first());
  };
}

const lines = (text: string): string[] => text.split("\n").map((line) => line.trim()).filter((line) => line !== "");

/** What is wrong with the variables as they are written. */
export function envProblem(text: string): string | undefined {
  const bad = lines(text).find((line) => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(line));
  return bad === undefined ? undefined : `Write NAME=value, one a line; this is none: ${bad.slice(0, 60)}`;
}

export function networkOf(from: Draft): Network {
  return from.network === "allow" ? { allow: lines(from.allow) as Destination[] } : from.network;
}

/** The draft as it is submitted. */
export function submissionOf(from: Draft): Submission {
  const limits: LimitsAsked = {};
  for (const field of LIMITS) {
    const text = from.limits[field.name]?.trim();
    if (text) limits[field.name] = text;
  }
  const env = Object.fromEntries(lines(from.env).map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
  return {
    files: { ...from.kept, ...from.files },
    entry: from.entry,
    args: readWords(from.args),
    env,
    stdin: from.stdin,
    limits,
    network: networkOf(from),
    start: from.start,
    class: from.class,
    ...(from.project !== "" && { project: from.project }),
  };
}

/** A job that was, as a draft. */
export function draftOf(job: Job, source: JobSource): Draft {
  const files: [string, string][] = [];
  const kept: [string, FileContent][] = [];
  for (const [path, content] of Object.entries(source.files)) {
    const text = textOf(content);
    const executable = typeof content === "object" && content.executable === true;
    if (text === undefined || executable) kept.push([path, content]);
    else files.push([path, text]);
  }
  const limits: Draft["limits"] = {};
  for (const field of LIMITS) if (job.limits[field.of] !== field.usual) limits[field.name] = writeLimit(field, job.limits[field.of]);
  return {
    // Not by assignment, to which `__proto__` is no name like others.
    files: Object.fromEntries(files),
    kept: Object.fromEntries(kept),
    entry: source.entry,
    args: writeWords(source.args),
    stdin: textOf(source.stdin) ?? "",
    env: Object.entries(source.env)
      .map(([name, value]) => `${name}=${value}`)
      .join("\n"),
    limits,
    network: typeof job.network === "string" ? job.network : "allow",
    allow: typeof job.network === "string" ? "" : job.network.allow.join("\n"),
    start: "warm",
    class: job.class,
    project: job.project_name,
  };
}
