// uPlot, set up: colours from the tokens, quiet axes, one width for all charts of a page.
import uPlot from "uplot";
import type { Series } from "./chart.tsx";
import { clock as clockOf, duration } from "./format.ts";

export type ChartHandle = { set: (data: readonly (readonly (number | null)[])[]) => void; destroy: () => void };

export type ChartOptions = {
  series: readonly Series[];
  height: number;
  format: (value: number) => string;
  clock: boolean;
  atLeast: number;
  /** Ticks at powers of two, for bytes. */
  binary: boolean;
  /** Ticks at whole numbers only. */
  whole: boolean;
  points: boolean;
  onPoint: (index: number | null) => void;
};

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000];
const POWERS = Array.from({ length: 50 }, (_, power) => 2 ** power);
const WHOLE = Array.from({ length: 30 }, (_, at) => ([1, 2, 5][at % 3] ?? 1) * 10 ** Math.floor(at / 3));

/** What a token looks like now: a canvas knows no variables and no light-dark(). */
function resolve(host: HTMLElement, token: string): string {
  const probe = host.appendChild(document.createElement("i"));
  probe.style.color = `var(${token})`;
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

const faint = (colour: string): string => colour.replace(/^rgb\((.*)\)$/, "rgba($1, 0.14)");

export function makeChart(host: HTMLElement, options: ChartOptions): ChartHandle {
  const text = resolve(host, "--faint");
  const grid = { stroke: resolve(host, "--chart-grid"), width: 1 };
  const font = `11px ${getComputedStyle(host).fontFamily}`;
  const axis = { stroke: text, grid, font, ticks: { show: false } };
  const series = options.series.map((one): uPlot.Series => {
    const colour = resolve(host, one.colour);
    return {
      label: one.label,
      stroke: colour,
      width: one.dashed ? 1 : 1.5,
      points: options.points ? { show: true, size: 4, width: 0, fill: colour } : { show: false },
      ...(one.fill && { fill: faint(colour) }),
      ...(one.dashed && { dash: [4, 4] }),
      ...(one.stepped && uPlot.paths.stepped && { paths: uPlot.paths.stepped({ align: 1 }) }),
      spanGaps: one.dashed ?? false,
    };
  });
  const plot = new uPlot(
    {
      width: Math.max(100, host.clientWidth),
      height: options.height,
      padding: [8, 20, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { time: options.clock },
        y: { range: (_, __, most) => [0, Math.max(options.atLeast, (most ?? 0) * 1.08) || 1] },
      },
      axes: [
        {
          ...axis,
          size: 24,
          space: options.clock ? 64 : 76,
          incrs: SECONDS,
          values: (_, ticks) => ticks.map((tick) => (options.clock ? clockOf(new Date(tick * 1000)).replace(/:00$/, "") : duration(tick * 1000))),
        },
        { ...axis, size: options.binary ? 68 : 60, space: 32, ...(options.binary && { incrs: POWERS }), ...(options.whole && { incrs: WHOLE }), values: (_, ticks) => ticks.map((tick) => options.format(tick)) },
      ],
      series: [{}, ...series],
      hooks: { setCursor: [(chart) => options.onPoint(chart.cursor.idx ?? null)] },
    },
    [[]],
    host,
  );
  const sizes = new ResizeObserver(() => {
    if (host.clientWidth > 0 && host.clientWidth !== plot.width) plot.setSize({ width: host.clientWidth, height: options.height });
  });
  sizes.observe(host);
  return {
    set: (data) => plot.setData(data as uPlot.AlignedData),
    destroy: () => {
      sizes.disconnect();
      plot.destroy();
    },
  };
}
