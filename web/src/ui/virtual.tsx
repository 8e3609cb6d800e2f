// Long lists: only what is in view stands in the page, so that a hundred thousand rows scroll like ten.
import { useComputed, useSignal, type ReadonlySignal } from "@preact/signals";
import type { ComponentChildren, RefObject } from "preact";
import { useCallback, useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { memo } from "./memo.ts";

/** Browsers cannot make an element of any height; beyond this, rows lie closer than they are tall, and the wheel moves less. */
const HEIGHT_MOST = 8_000_000;
/** Rows that are drawn beyond what is in view, so that slow scrolling finds them there. */
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
export function windowOf(scroll: number, view: number, rows: number, rowHeight: number, beyond = BEYOND): Window {
  const whole = rows * rowHeight;
  const height = Math.min(whole, HEIGHT_MOST);
  const reach = Math.max(1, height - view);
  // The place in the whole list that this place of the scroll bar means.
  const at = whole <= HEIGHT_MOST ? scroll : (Math.min(scroll, reach) / reach) * (whole - view);
  const first = Math.floor(at / rowHeight);
  const from = Math.max(0, Math.min(rows, first - beyond));
  const until = Math.max(from, Math.min(rows, Math.ceil((at + view) / rowHeight) + beyond));
  return { from, until, top: scroll - (at - from * rowHeight), height };
}

export type Virtual = {
  /** What is to be drawn. Whoever reads it is drawn anew as one scrolls, and nobody else. */
  window: ReadonlySignal<Window>;
  /** How wide the scroll bar is. */
  bar: ReadonlySignal<number>;
  /** The scrolling element, and what it is given as its `ref`: it may come later than the list. */
  scroller: RefObject<HTMLDivElement | null>;
  attach: (element: HTMLDivElement | null) => void;
  /** Scrolls so far that a row is in view; `amid`, with some of what is around it. */
  reveal: (row: number, amid?: boolean) => void;
  toEnd: () => void;
};

/** The window of a list of `rows` rows that are all `rowHeight` pixels tall, in a scrolling element. */
export function useVirtual(rows: number, rowHeight: number): Virtual {
  const scroller = useRef<HTMLDivElement>(null);
  const attached = useSignal<HTMLDivElement | null>(null);
  const attach = useCallback((element: HTMLDivElement | null) => {
    scroller.current = element;
    attached.value = element;
  }, []);
  const seen = useSignal({ scroll: 0, view: 800, bar: 0, beyond: BEYOND });
  useLayoutEffect(() => {
    const element = attached.value;
    if (!element) return;
    let asked = 0;
    let calm = 0;
    const look = () => {
      asked = 0;
      const before = seen.peek();
      // Who jumps far sees nothing that was drawn before: what is in view comes first, the rest when it is calm.
      const far = Math.abs(element.scrollTop - before.scroll) > element.clientHeight;
      if (far) {
        clearTimeout(calm);
        calm = window.setTimeout(() => (seen.value = { ...seen.peek(), beyond: BEYOND }), 120);
      }
      const next = { scroll: element.scrollTop, view: element.clientHeight, bar: element.offsetWidth - element.clientWidth, beyond: far ? 0 : before.beyond };
      if (next.scroll !== before.scroll || next.view !== before.view || next.bar !== before.bar) seen.value = next;
    };
    const ask = () => (asked ||= requestAnimationFrame(look));
    look();
    element.addEventListener("scroll", ask, { passive: true });
    const sizes = new ResizeObserver(ask);
    sizes.observe(element);
    return () => {
      cancelAnimationFrame(asked);
      clearTimeout(calm);
      element.removeEventListener("scroll", ask);
      sizes.disconnect();
    };
  }, [attached.value]);
  const latest = useRef({ rows, rowHeight });
  latest.current = { rows, rowHeight };
  const reveal = useCallback((row: number, amid = false) => {
    const element = scroller.current;
    if (!element) return;
    const { rows, rowHeight } = latest.current;
    const view = element.clientHeight;
    const whole = rows * rowHeight;
    const scale = whole <= HEIGHT_MOST ? 1 : (HEIGHT_MOST - view) / (whole - view);
    const top = row * rowHeight * scale;
    if (amid) element.scrollTop = top - view / 3;
    else if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + view) element.scrollTop = top + rowHeight - view;
  }, []);
  const toEnd = useCallback(() => {
    if (scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
  }, []);
  const size = useSignal({ rows, rowHeight });
  if (size.peek().rows !== rows || size.peek().rowHeight !== rowHeight) size.value = { rows, rowHeight };
  const drawn = useComputed(() => windowOf(seen.value.scroll, seen.value.view, size.value.rows, size.value.rowHeight, seen.value.beyond));
  const bar = useComputed(() => seen.value.bar);
  return { window: drawn, bar, scroller, attach, reveal, toEnd };
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
  const drawn = virtual.window.value;
  const template = { "--columns": columns.map((column) => column.width).join(" "), "--columns-narrow": columns.filter((column) => !column.wide).map((column) => column.width).join(" ") };
  const near = more !== undefined && drawn.until >= rows.length - 20;
  useEffect(() => {
    if (near) more?.();
  }, [near, rows.length, more]);
  // A row keeps its place for as long as it is drawn, and what was painted of it is scrolled along. Where rows lie closer than
  // they are tall, places shift with every scroll: there they are counted from the first that is drawn.
  const base = rows.length * rowHeight > drawn.height ? drawn.from : 0;
  const visible = [];
  for (let at = drawn.from; at < drawn.until; at++) {
    const row = rows[at];
    if (row !== undefined) visible.push(<RowOf key={keyOf(row)} row={row} at={at} columns={columns as readonly Column<unknown>[]} top={(at - base) * rowHeight} rowHeight={rowHeight} href={href as ((row: unknown) => string) | undefined} isActive={at === active} focusable={at === (active ?? 0)} />);
  }
  return (
    <div class="vtable" role="table" aria-label={label} aria-rowcount={(total ?? rows.length) < 0 ? -1 : (total ?? rows.length) + 1} style={template}>
      <div class="vtable-head" role="rowgroup" style={{ paddingRight: `${virtual.bar.value}px` }}>
        <div role="row" class="vtable-row" aria-rowindex={1}>
          {columns.map((column) => (
            <div key={column.id} role="columnheader" class={classOf(column)}>
              {column.title}
            </div>
          ))}
        </div>
      </div>
      <div class="vtable-scroll" ref={virtual.attach} tabIndex={0} role="rowgroup" aria-label={label}>
        <div class="vtable-all" style={{ height: `${drawn.height}px` }}>
          <div class="vtable-window" style={{ transform: `translateY(${drawn.top - (drawn.from - base) * rowHeight}px)` }}>
            {visible}
          </div>
        </div>
        {foot && <div class="vtable-foot">{foot}</div>}
      </div>
    </div>
  );
}

const classOf = (column: Column<never>): string => [column.number && "number", column.wide && "wide-only"].filter(Boolean).join(" ");

type RowProps = { row: unknown; at: number; columns: readonly Column<unknown>[]; top: number; rowHeight: number; href: ((row: unknown) => string) | undefined; isActive: boolean; focusable: boolean };

const RowOf = memo(function RowOf({ row, at, columns, top, rowHeight, href, isActive, focusable }: RowProps) {
  return (
    <div role="row" class={isActive ? "vtable-row active" : "vtable-row"} aria-rowindex={at + 2} style={{ top: `${top}px`, height: `${rowHeight}px` }}>
      {columns.map((column, place) => (
        <div key={column.id} role="cell" class={classOf(column)}>
          {place === 0 && href ? (
            <a class="row-link" href={href(row)} tabIndex={focusable ? 0 : -1}>
              {column.cell(row)}
            </a>
          ) : (
            column.cell(row)
          )}
        </div>
      ))}
    </div>
  );
});
