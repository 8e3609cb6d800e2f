// The log as it is read: only the lines in view are drawn, long ones wrap or scroll, and one can search, follow and download.
import { useSignal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { OutputStream } from "../api/v1.ts";
import { announce } from "../ui/announce.tsx";
import { clock, count, counted } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { memo } from "../ui/memo.ts";
import { useShortcuts } from "../ui/shortcuts.tsx";
import { useVirtual } from "../ui/virtual.tsx";
import { partsOf, type Log, type Row } from "./log.ts";

const ROW = 20;
/** So long after a turn of the wheel or a swipe the log may still move of it. */
const ACT_MS = 1500;

export type LogViewProps = {
  log: Log;
  /** Grows whenever the log has. */
  version: ReadonlySignal<number>;
  /** Whether more may come. */
  live: boolean;
  download: (stream: OutputStream | "both") => void;
};

type Shown = "both" | OutputStream;

export function LogView({ log, version, live, download }: LogViewProps) {
  const follow = useSignal(true);
  const wrap = useSignal(true);
  const stream = useSignal<Shown>("both");
  const wanted = useSignal("");
  const at = useSignal(0);
  const columns = useSignal(120);
  const field = useRef<HTMLInputElement>(null);

  const grown = version.value;
  const rows = useMemo(() => (stream.value === "both" ? log.rows : log.rows.filter((row) => row.kind === stream.value || row.kind === "note")), [grown, stream.value, log]);
  const wide = wrap.value ? columns.value : Infinity;
  // Where each row begins when it is wrapped: a prefix sum, cheap enough to be made anew.
  const starts = useMemo(() => {
    const sums = new Uint32Array(rows.length + 1);
    for (let row = 0; row < rows.length; row++) sums[row + 1] = (sums[row] ?? 0) + Math.max(1, Math.ceil((rows[row]?.text.length ?? 0) / widthFor(rows[row], wide)));
    return sums;
  }, [rows, rows.length, grown, wide]);
  const lines = starts[rows.length] ?? 0;
  const virtual = useVirtual(lines, ROW);
  const { scroller } = virtual;
  const window = virtual.window.value;

  const looked = useRef<Looked>({ text: "", rows, until: 0, dropped: 0, found: [] });
  const hits = useMemo(() => (looked.current = lookFor(wanted.value.toLowerCase(), rows, log.dropped, looked.current)).found, [wanted.value, rows, rows.length, grown]);
  const hit = hits.length === 0 ? undefined : hits[Math.min(at.value, hits.length - 1)];

  useLayoutEffect(() => {
    if (follow.value) virtual.toEnd();
  }, [lines, follow.value]);
  // Where lines wrap anew, the height is another only after the browser laid the page out.
  useEffect(() => {
    const all = scroller.current?.querySelector(".log-all");
    if (!all) return;
    const grows = new ResizeObserver(() => follow.peek() && virtual.toEnd());
    grows.observe(all);
    return () => grows.disconnect();
  }, [lines === 0]);

  // The width of one character decides where lines wrap, and where the text of a line begins: both of one that is like the others.
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = () => {
      const probe = element.appendChild(document.createElement("div"));
      probe.className = "log-line log-probe";
      const [gutter, zeros] = [document.createElement("span"), document.createElement("span")];
      gutter.className = "log-gutter";
      zeros.textContent = "0".repeat(100);
      probe.append(gutter, zeros);
      const text = zeros.getBoundingClientRect();
      const room = element.clientWidth - (text.left - probe.getBoundingClientRect().left) - 4;
      probe.remove();
      if (text.width > 0) columns.value = Math.max(16, Math.floor((room * 100) / text.width));
    };
    measure();
    const sizes = new ResizeObserver(measure);
    sizes.observe(element);
    return () => sizes.disconnect();
  }, []);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    let before = element.scrollTop;
    // Only what somebody does counts: lines that come, or wrap otherwise, move the log as well. Who asks to follow has done
    // with what they did before.
    let acted = -Infinity;
    const asks = follow.subscribe((follows) => follows && (acted = -Infinity));
    let held = false;
    const scrolled = () => {
      const now = element.scrollTop;
      const end = element.scrollHeight - element.clientHeight - now < ROW;
      // Who scrolls up wants to read; who comes back to the end wants to follow.
      if (now < before - 2 && !end && (held || performance.now() - acted < ACT_MS)) follow.value = false;
      else if (end) follow.value = true;
      before = now;
    };
    const acts = (event?: Event) => {
      acted = performance.now();
      // At once: a log that grows fast would have moved back before it is seen to have moved.
      if (event instanceof WheelEvent && event.deltaY < 0 && element.scrollTop > 0) follow.value = false;
    };
    const takes = () => (held = true);
    const lets = () => {
      if (held) acts();
      held = false;
    };
    const passive = { passive: true };
    element.addEventListener("scroll", scrolled, passive);
    for (const name of ["wheel", "touchmove", "keydown"]) element.addEventListener(name, acts, passive);
    element.addEventListener("pointerdown", takes, passive);
    for (const name of ["pointerup", "pointercancel", "blur"]) addEventListener(name, lets, passive);
    return () => {
      asks();
      element.removeEventListener("scroll", scrolled);
      for (const name of ["wheel", "touchmove", "keydown"]) element.removeEventListener(name, acts);
      element.removeEventListener("pointerdown", takes);
      for (const name of ["pointerup", "pointercancel", "blur"]) removeEventListener(name, lets);
    };
  }, []);

  const showHit = (place: number) => {
    if (hits.length === 0) return;
    at.value = (place + hits.length) % hits.length;
    follow.value = false;
    virtual.reveal(starts[hits[at.value] ?? 0] ?? 0, true);
    announce(`Line ${at.value + 1} of ${hits.length}.`);
  };
  useEffect(() => {
    at.value = 0;
    if (hits.length > 0) {
      follow.value = false;
      virtual.reveal(starts[hits[0] ?? 0] ?? 0, true);
    }
  }, [wanted.value]);

  useShortcuts([
    { keys: "/", says: "Search in the log", run: () => field.current?.focus() },
    { keys: "f", says: "Follow the log, or not", run: () => (follow.value = !follow.value) },
    { keys: "w", says: "Wrap long lines, or not", run: () => (wrap.value = !wrap.value) },
    { keys: "n", says: "Next match", run: () => showHit(at.value + 1) },
    { keys: "N", says: "Match before", run: () => showHit(at.value - 1) },
  ]);

  const drawn = [];
  if (lines > 0) {
    let row = rowAt(starts, window.from);
    for (let line = window.from; line < window.until && row < rows.length; ) {
      const shows = rows[row];
      const start = starts[row] ?? 0;
      const end = starts[row + 1] ?? start;
      if (shows) for (; line < end && line < window.until; line++) drawn.push(<Line key={`${shows.number}.${line - start}`} row={shows} part={line - start} parts={end - start} wide={widthFor(shows, wide)} wanted={wanted.value.toLowerCase()} hit={row === hit} length={shows.text.length} rewritten={shows.rewritten} />);
      row += 1;
    }
  }

  return (
    <div class="log">
      <div class="log-bar">
        <div class="search">
          <Icon name="search" size={14} />
          <input
            ref={field}
            type="search"
            placeholder="Search the log"
            aria-label="Search the log"
            value={wanted.value}
            onInput={(event) => (wanted.value = event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter") showHit(at.value + (event.shiftKey ? -1 : 1));
              if (event.key === "Escape") wanted.value = "";
            }}
          />
          {wanted.value !== "" && (
            <span class="faint small search-count">
              {hits.length === 0 ? "none" : `${count(Math.min(at.value, hits.length - 1) + 1)} of ${count(hits.length)}`}
            </span>
          )}
        </div>
        <select aria-label="Which stream" value={stream.value} onChange={(event) => (stream.value = event.currentTarget.value as Shown)}>
          <option value="both">All output</option>
          <option value="stdout">Standard output</option>
          <option value="stderr">Error output</option>
        </select>
        <span class="push" />
        <button type="button" class="button small" aria-pressed={wrap.value} title="Wrap long lines (w)" onClick={() => (wrap.value = !wrap.value)}>
          <Icon name="wrap" /> Wrap
        </button>
        <button type="button" class="button small" aria-pressed={follow.value} title="Stay at the end (f)" onClick={() => (follow.value = !follow.value)}>
          <Icon name="follow" /> Follow
        </button>
        <button type="button" class="button small" title="The bytes as the program wrote them" onClick={() => download(stream.value)}>
          <Icon name="download" /> Raw
        </button>
      </div>
      <div class={wrap.value ? "log-scroll wrapped" : "log-scroll"} ref={virtual.attach} tabIndex={0} role="region" aria-label="Output of the program">
        {log.dropped > 0 && <p class="log-dropped">{counted(log.dropped, "earlier line")} not kept here: the download has them.</p>}
        {lines === 0 ? (
          <p class="log-none">{live ? "Nothing was written yet." : "The program wrote nothing."}</p>
        ) : (
          <div class="log-all" style={{ height: `${window.height}px`, ...(!wrap.value && { minWidth: `calc(${Math.min(log.longest, 4000)}ch + 96px)` }) }}>
            <div class="log-window" style={{ transform: `translateY(${window.top}px)` }}>
              {drawn}
            </div>
          </div>
        )}
      </div>
    </div>
  );
}

/** Characters of a row on one line: those of some scripts take the place of two. */
const widthFor = (row: Row | undefined, wide: number): number => (row?.broad ? Math.max(8, Math.floor(wide / 2)) : wide);

type Looked = { text: string; rows: readonly Row[]; until: number; dropped: number; found: readonly number[] };

const HITS_MOST = 100_000;

/** The rows that a text is in. As a log grows, only what is new is looked through; the last rows may have grown too. */
function lookFor(text: string, rows: readonly Row[], dropped: number, before: Looked): Looked {
  if (text === "") return { text, rows, until: 0, dropped, found: [] };
  const same = before.text === text && before.rows === rows && before.dropped === dropped;
  const from = same ? Math.max(0, before.until - 2) : 0;
  const found = same ? before.found.filter((row) => row < from) : [];
  for (let row = from; row < rows.length && found.length < HITS_MOST; row++) if (rows[row]?.text.toLowerCase().includes(text)) found.push(row);
  return { text, rows, until: rows.length, dropped, found };
}

/** The row that a line of the wrapped log belongs to. */
function rowAt(starts: Uint32Array, line: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle + 1] ?? Infinity) <= line) low = middle + 1;
    else high = middle;
  }
  return low;
}

type LineProps = { row: Row; part: number; parts: number; wide: number; wanted: string; hit: boolean; length: number; rewritten: number };

// `length` and `rewritten` are there to be compared: a row that is still open grows in place.
const Line = memo(function Line({ row, part, parts, wide, wanted, hit }: LineProps) {
  const from = part === 0 ? 0 : part * wide;
  const until = wide === Infinity ? row.text.length : from + wide;
  let place = 0;
  const spans = [];
  for (const one of partsOf(row, wanted)) {
    const start = Math.max(from, place);
    const end = Math.min(until, place + one.text.length);
    if (start < end) {
      const text = one.text.slice(start - place, end - place);
      spans.push(one.hit ? <mark class={one.classes}>{text}</mark> : one.classes ? <span class={one.classes}>{text}</span> : text);
    }
    place += one.text.length;
  }
  return (
    <div class={`log-line ${row.kind}${hit ? " hit" : ""}`}>
      <span class="log-gutter">
        {part === 0 && (
          <>
            {row.kind === "stderr" && (
              <span class="log-err" title="Error output">
                err
              </span>
            )}
            <span class="log-number" title={clock(new Date(row.at), true)}>
              {row.kind === "note" ? "" : row.number}
            </span>
          </>
        )}
      </span>
      <span class="log-text" dir="ltr">
        {part === 0 && row.rewritten > 0 && (
          <span class="log-sign" title={`The program wrote over this line ${row.rewritten} times; the download has all of it.`}>
            ↺{row.rewritten}{" "}
          </span>
        )}
        {spans}
        {part === parts - 1 && row.cut > 0 && <span class="log-sign"> … {counted(row.cut, "more character")} in this line: the download has them</span>}
      </span>
    </div>
  );
});
