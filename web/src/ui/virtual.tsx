// Long lists: only what is in view stands in the page, so that a hundred thousand rows scroll like ten.
import { useSignal } from "@preact/signals";
import type { ComponentChildren, RefObject } from "preact";
import { useCallback, useEffect, useLayoutEffect, useRef } from "preact/hooks";

/** Browsers cannot make an element of any height; beyond this, rows lie closer than they are tall, and the wheel moves less. */
const HEIGHT_MOST = 8_000_000;
const BEYOND = 8;

export type Window = {
  /** The first and the one after the last row to draw. */
  from: number;
  until: number;
  /** Where the first of them begins, and how tall everything is. */
  top: number;
  height: number;
};

/** Which rows stand in view. */
export function windowOf(scroll: number, view: number, rows: number, rowHeight: number): Window {
  const whole = rows * rowHeight;
  const height = Math.min(whole, HEIGHT_MOST);
  const reach = Math.max(1, height - view);
  // The place in the whole list that this place of the scroll bar means.
  const at = whole <= HEIGHT_MOST ? scroll : (Math.min(scroll, reach) / reach) * (whole - view);
  const first = Math.floor(at / rowHeight);
  const from = Math.max(0, Math.min(rows, first - BEYOND));
  const until = Math.max(from, Math.min(rows, Math.ceil((at + view) / rowHeight) + BEYOND));
  return { from, until, top: scroll - (at - from * rowHeight), height };
}

export type Virtual = {
  window: Window;
  /** How wide the scroll bar is. */
  bar: number;
  scroller: RefObject<HTMLDivElement | null>;
  reveal: (row: number) => void;
  toEnd: () => void;
};

/** The window of a list of `rows` rows that are all `rowHeight` pixels tall, in a scrolling element. */
export function useVirtual(rows: number, rowHeight: number): Virtual {
  const scroller = useRef<HTMLDivElement>(null);
  const seen = useSignal({ scroll: 0, view: 800, bar: 0 });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    let asked = 0;
    const look = () => {
      asked = 0;
      const next = { scroll: element.scrollTop, view: element.clientHeight, bar: element.offsetWidth - element.clientWidth };
      const before = seen.peek();
      if (next.scroll !== before.scroll || next.view !== before.view || next.bar !== before.bar) seen.value = next;
    };
    const ask = () => (asked ||= requestAnimationFrame(look));
    look();
    element.addEventListener("scroll", ask, { passive: true });
    const sizes = new ResizeObserver(ask);
    sizes.observe(element);
    return () => {
      cancelAnimationFrame(asked);
      element.removeEventListener("scroll", ask);
      sizes.disconnect();
    };
  }, []);
  const latest = useRef({ rows, rowHeight });
  latest.current = { rows, rowHeight };
  const reveal = useCallback((row: number) => {
    const element = scroller.current;
    if (!element) return;
    const { rows, rowHeight } = latest.current;
    const view = element.clientHeight;
    const whole = rows * rowHeight;
    const scale = whole <= HEIGHT_MOST ? 1 : (HEIGHT_MOST - view) / (whole - view);
    const top = row * rowHeight * scale;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + view) element.scrollTop = top + rowHeight - view;
  }, []);
  const toEnd = useCallback(() => {
    if (scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
  }, []);
  return { window: windowOf(seen.value.scroll, seen.value.view, rows, rowHeight), bar: seen.value.bar, scroller, reveal, toEnd };
}

export type Column<T> = {
  id: string;
  title: string;
  /** A width for `grid-template-columns`. */
  width: string;
  /** Right-aligned, for numbers. */
  number?: boolean;
  /** Left out below this width of the window. */
  wide?: boolean;
  cell: (row: T) => ComponentChildren;
};

export type TableProps<T> = {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  /** How many there are, if not all are loaded; -1 for nobody knows. */
  total?: number;
  keyOf: (row: T) => string;
  rowHeight?: number;
  /** Where a row leads. */
  href?: (row: T) => string;
  /** The row that the keyboard is at. */
  active?: number | undefined;
  /** Called when the end comes near. */
  more?: (() => void) | undefined;
  virtual: Virtual;
  /** Below the rows: that more is loaded, or that this was all. */
  foot?: ComponentChildren;
};

/** A table whose rows are drawn as one comes to them. Its height is its container's. */
export function VirtualTable<T>({ label, columns, rows, total, keyOf, rowHeight = 40, href, active, more, virtual, foot }: TableProps<T>) {
  const { window, scroller } = virtual;
  const template = { "--columns": columns.map((column) => column.width).join(" "), "--columns-narrow": columns.filter((column) => !column.wide).map((column) => column.width).join(" ") };
  const near = more !== undefined && window.until >= rows.length - 20;
  useEffect(() => {
    if (near) more?.();
  }, [near, rows.length, more]);
  return (
    <div class="vtable" role="table" aria-label={label} aria-rowcount={(total ?? rows.length) < 0 ? -1 : (total ?? rows.length) + 1} style={template}>
      <div class="vtable-head" role="rowgroup" style={{ paddingRight: `${virtual.bar}px` }}>
        <div role="row" class="vtable-row" aria-rowindex={1}>
          {columns.map((column) => (
            <div key={column.id} role="columnheader" class={`${column.number ? "number" : ""} ${column.wide ? "wide-only" : ""}`}>
              {column.title}
            </div>
          ))}
        </div>
      </div>
      <div class="vtable-scroll" ref={scroller} tabIndex={0} role="rowgroup" aria-label={label}>
        <div class="vtable-all" style={{ height: `${window.height}px` }}>
          <div class="vtable-window" style={{ transform: `translateY(${window.top}px)` }}>
            {rows.slice(window.from, window.until).map((row, index) => {
              const at = window.from + index;
              return (
                <div key={keyOf(row)} role="row" class={at === active ? "vtable-row active" : "vtable-row"} aria-rowindex={at + 2} style={{ height: `${rowHeight}px` }}>
                  {columns.map((column, place) => (
                    <div key={column.id} role="cell" class={`${column.number ? "number" : ""} ${column.wide ? "wide-only" : ""}`}>
                      {place === 0 && href ? (
                        <a class="row-link" href={href(row)} tabIndex={at === (active ?? 0) ? 0 : -1}>
                          {column.cell(row)}
                        </a>
                      ) : (
                        column.cell(row)
                      )}
                    </div>
                  ))}
                </div>
              );
            })}
          </div>
        </div>
        {foot && <div class="vtable-foot">{foot}</div>}
      </div>
    </div>
  );
}
