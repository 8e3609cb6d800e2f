// Previews of files that programs left. They are hostile:
//
// 1. Nothing is opened as a document. An image is decoded by the browser's <img> from bytes whose first ones are those of a raster
//    format, under a type that we name; SVG is none of them. How many pixels there are is read before that: a few bytes can
//    stand for gigabytes of them.
// 2. Text and tables become text nodes, bounded in size.
// 3. Everything else is downloaded only.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { request } from "../api/client.ts";
import { asProblem, type Problem } from "../api/problem.ts";
import { readCsv, type Csv } from "./csv.ts";
import { Failed, Loading, Notice } from "./state.tsx";
import { safe, safeLines } from "./text.ts";

export type PreviewKind = "image" | "table" | "text";

const KINDS: Record<string, PreviewKind> = {
  ...Object.fromEntries(["png", "jpg", "jpeg", "gif", "webp", "bmp"].map((name) => [name, "image" as const])),
  ...Object.fromEntries(["csv", "tsv"].map((name) => [name, "table" as const])),
  ...Object.fromEntries(["txt", "log", "md", "json", "jsonl", "py", "toml", "yaml", "yml", "xml", "html", "svg", "ini", "rst", "tex"].map((name) => [name, "text" as const])),
};
const IMAGE_MOST = 20 << 20;
const TEXT_MOST = 256 << 10;
const PIXELS_MOST = 32_000_000;

/** How a file can be shown, by its name and size; nothing where it is only downloaded. */
export function previewOf(path: string, size: number): PreviewKind | undefined {
  const name = path.split("/").at(-1) ?? "";
  const ending = name.includes(".") ? name.slice(name.lastIndexOf(".") + 1).toLowerCase() : "";
  // `constructor` is an ending too, and every object has one.
  const kind = Object.hasOwn(KINDS, ending) ? KINDS[ending] : undefined;
  return kind === "image" && size > IMAGE_MOST ? undefined : kind;
}

/** The type of a raster image, by its first bytes. */
export function rasterType(bytes: Uint8Array): string | undefined {
  const starts = (...wanted: number[]) => wanted.every((byte, at) => bytes[at] === byte);
  if (starts(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return "image/png";
  if (starts(0xff, 0xd8, 0xff)) return "image/jpeg";
  if (starts(0x47, 0x49, 0x46, 0x38)) return "image/gif";
  if (starts(0x42, 0x4d)) return "image/bmp";
  if (starts(0x52, 0x49, 0x46, 0x46) && [0x57, 0x45, 0x42, 0x50].every((byte, at) => bytes[8 + at] === byte)) return "image/webp";
  return undefined;
}

/** How many pixels a raster image says that it has; nothing where that cannot be read. */
export function pixelsOf(bytes: Uint8Array, type: string): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    switch (type) {
      case "image/png":
        return view.getUint32(16) * view.getUint32(20);
      case "image/gif":
        return view.getUint16(6, true) * view.getUint16(8, true);
      case "image/bmp":
        // The oldest header has numbers of two bytes; a negative height is counted from the top.
        return view.getUint32(14, true) === 12 ? view.getUint16(18, true) * view.getUint16(20, true) : Math.abs(view.getInt32(18, true) * view.getInt32(22, true));
      case "image/webp": {
        const kind = String.fromCharCode(...bytes.subarray(12, 16));
        if (kind === "VP8 ") return (view.getUint16(26, true) & 0x3fff) * (view.getUint16(28, true) & 0x3fff);
        if (kind === "VP8L") return ((view.getUint32(21, true) & 0x3fff) + 1) * (((view.getUint32(21, true) >>> 14) & 0x3fff) + 1);
        if (kind === "VP8X") return ((view.getUint32(24, true) & 0xffffff) + 1) * ((view.getUint32(26, true) >>> 8) + 1);
        return undefined;
      }
      case "image/jpeg":
        // Segments follow each other until the one that begins a frame.
        for (let at = 2; view.getUint8(at) === 0xff; ) {
          const marker = view.getUint8(at + 1);
          if (marker === 0xff) at += 1;
          else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return view.getUint16(at + 5) * view.getUint16(at + 7);
          else at += 2 + view.getUint16(at + 2);
        }
        return undefined;
      default:
        return undefined;
    }
  } catch {
    // It ends before it says.
    return undefined;
  }
}

/** At most `most` bytes of an answer; whether there were more. */
async function readSome(response: Response, most: number): Promise<{ bytes: Uint8Array<ArrayBuffer>; more: boolean }> {
  const reader = response.body?.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  let more = false;
  while (reader && !more) {
    const { done, value } = await reader.read();
    if (done) break;
    const kept = value.subarray(0, most - length);
    pieces.push(kept);
    length += kept.length;
    more = kept.length < value.length;
  }
  if (more) void reader?.cancel();
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return { bytes, more };
}

type Made = { kind: "image"; url: string } | { kind: "table"; csv: Csv; more: boolean } | { kind: "text"; text: string; more: boolean } | { kind: "not"; why: string };

export function Preview({ kind, href, name }: { kind: PreviewKind; href: string; name: string }) {
  const made = useSignal<Made | undefined>(undefined);
  const problem = useSignal<Problem | undefined>(undefined);
  useEffect(() => {
    const controller = new AbortController();
    let url: string | undefined;
    const load = async () => {
      const response = await request("GET", href, { signal: controller.signal });
      const { bytes, more } = await readSome(response, kind === "image" ? IMAGE_MOST : TEXT_MOST);
      if (controller.signal.aborted) return;
      if (kind === "image") {
        const type = rasterType(bytes);
        if (!type) made.value = { kind: "not", why: "By its first bytes it is no picture of a kind that is shown here." };
        else if (!((pixelsOf(bytes, type) ?? Infinity) <= PIXELS_MOST)) made.value = { kind: "not", why: "It has more pixels than are shown here." };
        else made.value = { kind: "image", url: (url = URL.createObjectURL(new Blob([bytes], { type }))) };
        return;
      }
      if (bytes.includes(0)) {
        made.value = { kind: "not", why: "It is no text." };
        return;
      }
      const text = new TextDecoder().decode(bytes);
      made.value = kind === "table" ? { kind, csv: readCsv(text, href.toLowerCase().endsWith(".tsv") ? { separator: "\t" } : {}), more } : { kind, text, more };
    };
    load().catch((thrown: unknown) => {
      if (!controller.signal.aborted) problem.value = asProblem(thrown);
    });
    return () => {
      controller.abort();
      if (url) URL.revokeObjectURL(url);
    };
  }, [kind, href]);

  if (problem.value) return <Failed problem={problem.value} />;
  const now = made.value;
  if (!now) return <Loading label="Loading the preview" />;
  switch (now.kind) {
    case "image":
      return (
        <div class="preview image">
          <img src={now.url} alt={`Picture ${name}`} onError={() => (made.value = { kind: "not", why: "The browser cannot decode it." })} />
        </div>
      );
    case "table":
      return <Table csv={now.csv} more={now.more} name={name} />;
    case "text":
      return (
        <>
          <pre class="preview text" tabIndex={0} aria-label={`Text of ${name}`}>
            {safeLines(now.text, TEXT_MOST)}
          </pre>
          {now.more && <p class="lead">This is its beginning; the download has all of it.</p>}
        </>
      );
    case "not":
      return (
        <div class="preview">
          <Notice kind="warning">{now.why} It can be downloaded.</Notice>
        </div>
      );
  }
}

function Table({ csv, more, name }: { csv: Csv; more: boolean; name: string }) {
  const [head, ...rows] = csv.rows;
  if (!head) return <p class="lead">The table is empty.</p>;
  const numeric = head.map((_, at) => rows.length > 0 && rows.slice(0, 50).every((row) => row[at] === undefined || row[at] === "" || Number.isFinite(Number(row[at]))));
  return (
    <>
      <div class="preview table-scroll" tabIndex={0} role="region" aria-label={`Table of ${name}`}>
        <table class="table dense">
          <thead>
            <tr>
              {head.map((cell, at) => (
                <th key={at} scope="col" class={numeric[at] ? "number" : ""}>
                  {safe(cell)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, at) => (
              <tr key={at}>
                {row.map((cell, column) => (
                  <td key={column} class={numeric[column] ? "number" : ""}>
                    {safe(cell)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {(more || csv.more) && <p class="lead">The first {rows.length} rows; the download has all of it.</p>}
    </>
  );
}
