import type { ReadonlySignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Job, Sample } from "../api/v1.ts";
import { Chart, type ChartProps } from "../ui/chart.tsx";
import { bytes, count, cpus, duration } from "../ui/format.ts";
import { Scroll } from "../ui/scroll.tsx";
import { Empty } from "../ui/state.tsx";
import { limitLine, rates } from "./series.ts";

/** What it used over time, each against its limit. */
export function UsagePanel({ job, samples }: { job: Job; samples: ReadonlySignal<readonly Sample[]> }) {
  const all = samples.value;
  const charts = useMemo(() => chartsOf(job, all), [all, job.limits]);
  if (all.length < 2) {
    const title = job.state === "ended" ? "It ended before there was much to measure" : job.state === "running" ? "The first samples come in a moment" : "It does not run yet";
    return (
      <Empty title={title} icon="overview">
        A running program is looked at a few times a second at first, and rarer as it runs on.
      </Empty>
    );
  }
  return (
    <Scroll label="Charts" className="scrolls charts">
      {charts.map((chart) => (
        <section key={chart.label} class="chart-block">
          <h2 class="minor">{chart.label}</h2>
          <Chart {...chart} clock={false} />
        </section>
      ))}
    </Scroll>
  );
}

function chartsOf(job: Job, samples: readonly Sample[]): ChartProps[] {
  const times = samples.map((sample) => sample.wall_ms / 1000);
  const limit = (value: number) => limitLine(times.length, value);
  const of = (pick: (sample: Sample) => number | null | undefined) => samples.map((sample) => pick(sample) ?? null);
  const has = (values: readonly (number | null)[]) => values.some((value) => value !== null);
  const last = (values: readonly (number | null)[]) => values.at(-1) ?? 0;
  const peak = (values: readonly (number | null)[]) => Math.max(0, ...values.map((value) => value ?? 0));
  const charts: ChartProps[] = [];
  const { limits } = job;
  // A limit far above what was used would press the line flat: it is drawn only when it comes into sight.
  const nearby = (values: readonly (number | null)[], most: number) => peak(values) > most / 12;
  const add = (label: string, values: readonly (number | null)[], most: number, format: (value: number) => string, colour: string, ticks: ChartProps["ticks"] = "any") => {
    if (!has(values)) return;
    const near = nearby(values, most);
    charts.push({
      label: near ? label : `${label} (limit ${format(most)})`,
      series: [{ label: "used", colour, fill: true }, ...(near ? [{ label: "limit", colour: "--chart-limit", dashed: true }] : [])],
      data: [times, values, ...(near ? [limit(most)] : [])],
      format,
      ticks,
      summary: `Last ${format(last(values))}, at most ${format(peak(values))}, limit ${format(most)}.`,
    });
  };
  const memory = of((sample) => sample.memory_bytes);
  add("Memory", memory, limits.memory_bytes, bytes, "--chart-1", "binary");
  add("CPUs busy", rates(samples, (sample) => sample.cpu_ms), limits.cpus_milli / 1000, (value) => cpus(value * 1000), "--chart-3");
  add("CPU time", of((sample) => sample.cpu_ms), limits.cpu_ms, duration, "--chart-3");
  add("Processes and threads", of((sample) => sample.pids), limits.pids, count, "--chart-4", "whole");
  add("Scratch space", of((sample) => sample.disk_bytes), limits.disk_bytes, bytes, "--chart-2", "binary");
  const read = rates(samples, (sample) => sample.read_bytes).map((value) => value && value * 1000);
  const written = rates(samples, (sample) => sample.write_bytes).map((value) => value && value * 1000);
  if (has(read) || has(written)) {
    const format = (value: number) => `${bytes(value)}/s`;
    charts.push({
      label: "Block devices",
      series: [
        { label: "read", colour: "--chart-1", fill: true },
        { label: "written", colour: "--chart-2" },
      ],
      data: [times, read, written],
      format,
      ticks: "binary",
      atLeast: 1024,
      summary: `Last read ${format(last(read))}, written ${format(last(written))}.`,
    });
  }
  return charts;
}
