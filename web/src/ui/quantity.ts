// Sizes, times and counts as people write them into fields: `256M`, `10s`, `0.5`; the same as the server reads.

const SIZES: Record<string, number> = { "": 1, B: 1, K: 2 ** 10, KB: 2 ** 10, KIB: 2 ** 10, M: 2 ** 20, MB: 2 ** 20, MIB: 2 ** 20, G: 2 ** 30, GB: 2 ** 30, GIB: 2 ** 30, T: 2 ** 40, TB: 2 ** 40, TIB: 2 ** 40 };
const TIMES: Record<string, number> = { ms: 1, "": 1000, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

function split(text: string): [number, string] | undefined {
  const found = /^(\d+(?:\.\d+)?|\.\d+)\s*([A-Za-z]*)$/.exec(text.trim());
  return found ? [Number(found[1]), found[2] ?? ""] : undefined;
}

/** Bytes of `512K`, `64M`, `1.5G`; nothing where it is no size. */
export function readSize(text: string): number | undefined {
  const parts = split(text);
  const scale = parts && SIZES[parts[1].toUpperCase()];
  return parts && scale !== undefined ? Math.floor(parts[0] * scale) : undefined;
}

/** Milliseconds of `500ms`, `10s`, `2m`, `1h`, `7d`; without a unit, seconds. */
export function readDuration(text: string): number | undefined {
  const parts = split(text);
  const scale = parts && TIMES[parts[1]];
  return parts && scale !== undefined ? Math.floor(parts[0] * scale) : undefined;
}

/** Thousandths of a CPU of `1`, `0.5`. */
export function readCpus(text: string): number | undefined {
  const parts = split(text);
  return parts && parts[1] === "" ? Math.floor(parts[0] * 1000) : undefined;
}

export function readCount(text: string): number | undefined {
  return /^\d+$/.test(text.trim()) ? Number(text.trim()) : undefined;
}

const written = (value: number, units: readonly (readonly [string, number])[]): string => {
  for (const [unit, scale] of units) if (value >= scale && value % scale === 0) return `${value / scale}${unit}`;
  return String(value);
};

/** Bytes as a field has them: exact, and as short as that can be. */
export const writeSize = (bytes: number): string =>
  written(bytes, [
    ["T", 2 ** 40],
    ["G", 2 ** 30],
    ["M", 2 ** 20],
    ["K", 2 ** 10],
  ]);

/** Milliseconds as a field has them. */
export const writeDuration = (ms: number): string =>
  written(ms, [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1000],
    ["ms", 1],
  ]);

export const writeCpus = (milli: number): string => String(milli / 1000);
