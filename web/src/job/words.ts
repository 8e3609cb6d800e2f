// Sentences about jobs, denials and findings.
import type { Denial, Finding, Network } from "../api/v1.ts";

const TRIED: Record<string, readonly [alone: string, withTarget: string]> = {
  socket: ["a socket", "a socket for"],
  connect: ["a connection", "connect to"],
  bind: ["an address of its own", "bind to"],
  listen: ["waiting for connections", "listen on"],
  execve: ["executing a program", "execute"],
  fork: ["another process", "fork of"],
  ptrace: ["tracing a process", "trace by"],
  mount: ["a change of mounts", "a change of mounts by"],
  namespace: ["another namespace", "another namespace by"],
  bpf: ["a program for the kernel", "a program for the kernel by"],
  perf: ["performance counters", "performance counters by"],
  io_uring: ["io_uring", "io_uring by"],
  keyring: ["the kernel's keyrings", "the kernel's keyrings by"],
  signal: ["a signal", "signal to"],
  open: ["opening a file", "open"],
  module: ["a kernel module", "a kernel module by"],
  reboot: ["a restart of the machine", "a restart of the machine by"],
  clock: ["setting a clock", "setting a clock by"],
  trace: ["watching the system", "watching the system by"],
  other: ["an act", ""],
};

/** The act with its target: `connect to example.org:443`. The target is the program's word. */
export function tried(denial: { act: string; target?: string | null }): string {
  const [alone, withTarget] = TRIED[denial.act] ?? [denial.act, denial.act];
  return denial.target ? `${withTarget} ${denial.target}`.trim() : alone;
}

const bare = (text: string) => text.trim().replace(/\.+$/, "");
export const upper = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** Why it was refused and what to do, without its place. */
export function denialSays(denial: Denial): string {
  const times = denial.count > 1 ? ` (${denial.count} times)` : "";
  const remedy = denial.remedy ? ` ${upper(bare(denial.remedy))}.` : "";
  return `${upper(tried(denial))} was refused: ${bare(denial.why)}${times}.${remedy}`;
}

/** Why it was refused and what to do, where what was tried stands beside it. */
export function whyNot(denial: Denial): string {
  const remedy = denial.remedy ? ` ${upper(bare(denial.remedy))}.` : "";
  return `${upper(bare(denial.why))}.${remedy}`;
}

const PREDICTED: Record<string, string> = {
  allowed: "will be allowed",
  refused: "will be refused",
  not_in_environment: "is not in the environment",
  limited_by: "is bounded by a limit",
  unknown: "cannot be foretold",
};

/** What was foretold of a finding. */
export const predicted = (finding: Finding): string => PREDICTED[finding.prediction] ?? finding.prediction.replaceAll("_", " ");

/** What became of it; nothing where nothing was to be seen. */
export function became(finding: Finding): string | undefined {
  if (finding.verdict === "confirmed") return "it was refused";
  if (finding.verdict === "not_reached") return "nothing of the kind was refused";
  return undefined;
}

export function networkSays(network: Network): string {
  if (network === "none") return "none";
  if (network === "loopback") return "loopback only";
  return network.allow.join(", ");
}
