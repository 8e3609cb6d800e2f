// The log of a job: rows of text, made from the output events of both streams, bounded in number and length.
import { fromBase64 } from "../ui/bytes.ts";
import type { Content, OutputStream } from "../api/v1.ts";
import { AnsiReader, type Run } from "./ansi.ts";

export type Row = {
  /** Its place since the beginning, which stays when older rows are dropped. */
  number: number;
  kind: OutputStream | "note";
  text: string;
  runs: Run[];
  /** How often the line was written over by carriage returns. */
  rewritten: number;
  /** Characters of the line that are not shown. */
  cut: number;
  /** Whether some of its characters are twice as wide. */
  broad: boolean;
  at: string;
};

/** Longer lines are cut: nobody reads them, and a browser suffers. The download has all of it. */
export const LINE_MOST = 4000;
/** A row with more changes of colour than this stays plain after them: each is an element, and is looked at at each draw. */
export const RUNS_MOST = 500;
/** With more rows than this, the oldest are dropped. */
export const ROWS_MOST = 200_000;

type Stream = { decoder: TextDecoder; ansi: AnsiReader; open: Row | undefined; returned: boolean };

const makeStream = (): Stream => ({ decoder: new TextDecoder(), ansi: new AnsiReader(), open: undefined, returned: false });

export class Log {
  readonly rows: Row[] = [];
  /** Rows that were dropped, since there are so many. */
  dropped = 0;
  /** The longest row, in characters. */
  longest = 0;
  #next = 1;
  #streams: Record<OutputStream, Stream> = { stdout: makeStream(), stderr: makeStream() };

  /** Takes a piece of output, and says how many bytes it was. */
  output(kind: OutputStream, data: Content, at: string): number {
    const stream = this.#streams[kind];
    const bytes = bytesOf(data);
    const text = stream.decoder.decode(bytes, { stream: true });
    this.#take(kind, stream, stream.ansi.push(text), at);
    this.#trim();
    return bytes.length;
  }

  /** A remark of ours between the lines. */
  note(text: string, at: string): void {
    this.#closeAll();
    this.#add("note", at).text = text;
  }

  /** Nothing follows of this attempt: what waited is shown. */
  end(at: string): void {
    for (const kind of ["stdout", "stderr"] as const) {
      const stream = this.#streams[kind];
      this.#take(kind, stream, stream.ansi.push(stream.decoder.decode()), at);
      this.#take(kind, stream, stream.ansi.end(), at);
      this.#streams[kind] = makeStream();
    }
  }

  #closeAll(): void {
    for (const stream of Object.values(this.#streams)) stream.open = undefined;
  }

  #take(kind: OutputStream, stream: Stream, tokens: ReturnType<AnsiReader["push"]>, at: string): void {
    for (const token of tokens) {
      if (token.kind === "newline") {
        // A line without a character is a line too.
        stream.open ??= this.#add(kind, at);
        stream.open = undefined;
        stream.returned = false;
      } else if (token.kind === "return") {
        stream.returned = stream.open !== undefined;
      } else {
        const row = (stream.open ??= this.#add(kind, at));
        if (stream.returned) {
          Object.assign(row, { text: "", runs: [], cut: 0, broad: false, rewritten: row.rewritten + 1 });
          stream.returned = false;
        }
        this.#append(row, token.text, token.classes);
      }
    }
  }

  #append(row: Row, given: string, classes: string): void {
    const text = given.includes("\t") ? withoutTabs(given, row.text.length) : given;
    const room = LINE_MOST - row.text.length;
    let kept = text.length <= room ? text : text.slice(0, Math.max(0, room));
    // Half of a character is none.
    if (kept.length < text.length && /[\ud800-\udbff]$/.test(kept)) kept = kept.slice(0, -1);
    row.cut += text.length - kept.length;
    if (kept === "") return;
    const from = row.text.length;
    row.text += kept;
    row.broad ||= BROAD.test(kept);
    this.longest = Math.max(this.longest, row.text.length);
    if (classes === "") return;
    const last = row.runs.at(-1);
    if (last && last.until === from && last.classes === classes) last.until = row.text.length;
    else if (row.runs.length < RUNS_MOST) row.runs.push({ from, until: row.text.length, classes });
  }

  #add(kind: Row["kind"], at: string): Row {
    const row: Row = { number: this.#next++, kind, text: "", runs: [], rewritten: 0, cut: 0, broad: false, at };
    this.rows.push(row);
    return row;
  }

  #trim(): void {
    if (this.rows.length <= ROWS_MOST * 1.1) return;
    const many = this.rows.length - ROWS_MOST;
    this.rows.splice(0, many);
    this.dropped += many;
  }
}

const BROAD = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]|[\u{20000}-\u{3fffd}]/u;

/** Tabs as the spaces that they stand for, so that a character is a column. */
function withoutTabs(text: string, before: number): string {
  let out = "";
  for (const piece of text.split(/(\t)/)) out += piece === "\t" ? " ".repeat(8 - ((before + out.length) % 8)) : piece;
  return out;
}

const encoder = new TextEncoder();

export function bytesOf(data: Content): Uint8Array {
  return data.text !== undefined ? encoder.encode(data.text) : fromBase64(data.base64 ?? "");
}

/** A row as the parts that it is drawn of: its runs, cut where a search hits. */
export type Part = { text: string; classes: string; hit: boolean };

export function partsOf(row: Row, wanted: string): Part[] {
  const edges = new Set([0, row.text.length]);
  for (const run of row.runs) edges.add(run.from).add(run.until);
  const hits: [number, number][] = [];
  if (wanted !== "") {
    const text = row.text.toLowerCase();
    for (let at = text.indexOf(wanted); at >= 0 && hits.length < 200; at = text.indexOf(wanted, at + wanted.length)) {
      hits.push([at, at + wanted.length]);
      edges.add(at).add(at + wanted.length);
    }
  }
  const places = [...edges].sort((a, b) => a - b);
  const parts: Part[] = [];
  let run = 0;
  let next = 0;
  for (let at = 0; at + 1 < places.length; at++) {
    const from = places[at] ?? 0;
    const until = places[at + 1] ?? 0;
    while (run < row.runs.length && (row.runs[run]?.until ?? 0) <= from) run += 1;
    const here = row.runs[run];
    const classes = here && here.from <= from ? here.classes : "";
    while (next < hits.length && (hits[next]?.[1] ?? 0) <= from) next += 1;
    parts.push({ text: row.text.slice(from, until), classes, hit: from >= (hits[next]?.[0] ?? Infinity) });
  }
  return parts;
}
