// Lines over time. uPlot comes in a chunk of its own; the place that a chart will take is kept free until then.
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { repaint } from "../theme.ts";
import type { ChartHandle } from "./chart-core.ts";

export type Series = {
  label: string;
  /** A colour of tokens.css, such as `--chart-1`. */
  colour: string;
  /** Filled below. */
  fill?: boolean;
  /** Drawn as a broken line: a limit, what is expected. */
  dashed?: boolean;
  /** Drawn in steps: counts hold until the next one. */
  stepped?: boolean;
};

export type ChartProps = {
  label: string;
  series: readonly Series[];
  /** Times first, then a row for each series: absent is a gap. Times in seconds. */
  data: readonly (readonly (number | null)[])[];
  height?: number;
  /** What a value is called at the axis and in the legend. */
  format: (value: number) => string;
  /** Whether times are dates, or seconds since a start. */
  clock?: boolean;
  /** Whether ticks are powers of two, or whole numbers. */
  ticks?: "binary" | "whole" | "any";
  /** Whether lone values are marked: a line needs two. */
  points?: boolean;
  /** At least this is the top of the scale. */
  atLeast?: number;
  /** How the values stand in words, for those who do not see the picture. */
  summary: string;
};

/** A chart with its legend, which tells the values under the pointer, or the last ones. */
export function Chart({ label, series, data, height = 140, format, clock = true, atLeast = 0, ticks = "any", points = false, summary }: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<ChartHandle>(undefined);
  const at = useSignal<number | null>(null);
  const latest = useRef({ data });
  latest.current = { data };
  const shape = JSON.stringify([series, clock, atLeast, ticks, points]);

  useEffect(() => {
    let gone = false;
    void import("./chart-core.ts").then(({ makeChart }) => {
      if (gone || !host.current) return;
      chart.current = makeChart(host.current, { series, height, format, clock, atLeast, binary: ticks === "binary", whole: ticks === "whole", points, onPoint: (index) => (at.value = index) });
      chart.current.set(latest.current.data);
    });
    return () => {
      gone = true;
      chart.current?.destroy();
      chart.current = undefined;
    };
  }, [shape, height, repaint.value]);
  useEffect(() => chart.current?.set(data), [data]);

  const times = data[0] ?? [];
  const index = at.value !== null && at.value < times.length ? at.value : times.length - 1;
  return (
    <figure class="chart">
      <div class="chart-host" ref={host} style={{ height: `${height}px` }} role="img" aria-label={`${label}. ${summary}`} />
      <figcaption class="legend" aria-hidden="true">
        {series.map((one, place) => {
          const value = data[place + 1]?.[index];
          return (
            <span key={one.label} class="legend-item">
              <span class={one.dashed ? "swatch dashed" : "swatch"} style={{ color: `var(${one.colour})` }} />
              <span class="faint">{one.label}</span> <b>{value === null || value === undefined ? "–" : format(value)}</b>
            </span>
          );
        })}
      </figcaption>
    </figure>
  );
}

/** A line as small as a word, drawn without uPlot: lists have many. */
export function Sparkline({ values, most, label, width = 88, height = 20 }: { values: readonly number[]; most?: number | undefined; label: string; width?: number; height?: number }) {
  const top = Math.max(most ?? 0, ...values, 1e-9);
  const step = width / Math.max(1, values.length - 1);
  const points = values.map((value, at) => `${(at * step).toFixed(1)},${(height - 1.5 - (value / top) * (height - 3)).toFixed(1)}`);
  const line = points.join(" ");
  return (
    <svg class="sparkline" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {points.length > 1 && (
        <>
          <polygon points={`0,${height} ${line} ${((values.length - 1) * step).toFixed(1)},${height}`} />
          <polyline points={line} />
        </>
      )}
    </svg>
  );
}
