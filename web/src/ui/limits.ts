// The limits of a job: their names, how they are written, and what holds where nothing is asked for.
import type { Limits, LimitsAsked } from "../api/v1.ts";
import { bytes, count, cpus, duration } from "./format.ts";
import { readCount, readCpus, readDuration, readSize, writeCpus, writeDuration, writeSize } from "./quantity.ts";

export type LimitName = keyof LimitsAsked;
type Kind = "size" | "time" | "cpus" | "count";
export type LimitField = { name: LimitName; of: keyof Limits; label: string; kind: Kind; usual: number; example: string };

/** In the order of importance. `usual` is what a submission that says nothing has (crates/api/src/limits.rs). */
export const LIMITS: readonly LimitField[] = [
  { name: "memory", of: "memory_bytes", label: "Memory", kind: "size", usual: 256 * 2 ** 20, example: "256M" },
  { name: "wall", of: "wall_ms", label: "Time", kind: "time", usual: 60_000, example: "60s" },
  { name: "cpu", of: "cpu_ms", label: "CPU time", kind: "time", usual: 30_000, example: "30s" },
  { name: "cpus", of: "cpus_milli", label: "CPUs at once", kind: "cpus", usual: 1000, example: "1" },
  { name: "pids", of: "pids", label: "Processes", kind: "count", usual: 64, example: "64" },
  { name: "disk", of: "disk_bytes", label: "Scratch space", kind: "size", usual: 64 * 2 ** 20, example: "64M" },
  { name: "files", of: "files", label: "Files", kind: "count", usual: 4096, example: "4096" },
  { name: "open_files", of: "open_files", label: "Open files", kind: "count", usual: 1024, example: "1024" },
  { name: "output", of: "output_bytes", label: "Output", kind: "size", usual: 8 * 2 ** 20, example: "8M" },
];

const READ: Record<Kind, (text: string) => number | undefined> = { size: readSize, time: readDuration, cpus: readCpus, count: readCount };
const WRITE: Record<Kind, (value: number) => string> = { size: writeSize, time: writeDuration, cpus: writeCpus, count: String };
const SAY: Record<Kind, (value: number) => string> = { size: bytes, time: duration, cpus, count };
const HOW: Record<Kind, string> = { size: "a size such as 512K, 64M or 1.5G", time: "a time such as 500ms, 10s or 2m", cpus: "a number of CPUs such as 1 or 0.5", count: "a whole number" };

export const readLimit = (field: LimitField, text: string): number | undefined => READ[field.kind](text);
export const writeLimit = (field: LimitField, value: number): string => WRITE[field.kind](value);
export const sayLimit = (field: LimitField, value: number): string => SAY[field.kind](value);

/** What is wrong with a limit as it is written; nothing where it may be asked for. */
export function limitProblem(field: LimitField, text: string, ceiling: Limits | undefined): string | undefined {
  if (text.trim() === "") return undefined;
  const value = readLimit(field, text);
  if (value === undefined) return `Write ${HOW[field.kind]}.`;
  const most = ceiling?.[field.of];
  if (most !== undefined && value > most) return `The project allows at most ${sayLimit(field, most)}.`;
  if (value === 0) return "Nothing runs with none of it.";
  return undefined;
}
