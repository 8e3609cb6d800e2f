// Quantities as people read them. Numbers are short, have their unit, and never more digits than they deserve.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");

/** `1.5 MiB`. */
export function bytes(value: number): string {
  let size = value;
  let unit = 0;
  while (size >= 1023.5 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? size.toFixed(0) : digits(size)} ${UNITS[unit]}`;
}

/** `340 ms`, `1.25 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 0) return "0 ms";
  if (ms < 1000) return `${ms < 10 && ms > 0 ? digits(ms) : ms.toFixed(0)} ms`;
  if (ms < 59_950) return `${digits(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return two(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return two(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(minutes / 60);
  return two(Math.floor(hours / 24), "d", hours % 24, "h");
}

const two = (large: number, one: string, small: number, other: string): string => (small === 0 ? `${large} ${one}` : `${large} ${one} ${small} ${other}`);

/** `12,345`. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-GB");
}

/** `1.5 CPUs`, from thousandths. */
export function cpus(milli: number): string {
  return `${digits(milli / 1000)} ${milli === 1000 ? "CPU" : "CPUs"}`;
}

/** `42 %`, from 0 to 1. */
export function percent(part: number): string {
  const hundredths = part * 100;
  return `${hundredths > 0 && hundredths < 1 ? "<1" : hundredths.toFixed(0)} %`;
}

/** `1 job`, `3 jobs`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** How long ago, or how long until: `5 s ago`, `in 2 min`, `now`. */
export function relative(at: number, now: number): string {
  const ms = now - at;
  const distance = Math.abs(ms);
  if (distance < 1500) return "now";
  const words =
    distance < 60_000
      ? `${Math.floor(distance / 1000)} s`
      : distance < 3_600_000
        ? `${Math.floor(distance / 60_000)} min`
        : distance < 86_400_000
          ? `${Math.floor(distance / 3_600_000)} h`
          : `${Math.floor(distance / 86_400_000)} d`;
  return ms >= 0 ? `${words} ago` : `in ${words}`;
}

const pad = (value: number, width = 2): string => String(value).padStart(width, "0");

/** `14:03:22`, in the reader's zone; with milliseconds if wanted. */
export function clock(at: Date, fine = false): string {
  const time = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  return fine ? `${time}.${pad(at.getMilliseconds(), 3)}` : time;
}

/** `2026-11-25 14:03:22`, in the reader's zone. */
export function dateAndClock(at: Date): string {
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${clock(at)}`;
}

/** The part of an id that tells it from others at a glance: its last eight characters. */
export function shortId(id: string): string {
  const bare = id.slice(id.indexOf("_") + 1);
  return bare.length > 8 ? bare.slice(-8) : bare;
}
