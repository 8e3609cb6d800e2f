// The colours of a program's output, made safe. Of all escape sequences only SGR ("select graphic rendition") does something;
// those that move a cursor, set a title, make a link or answer are dropped, and what is no sequence is shown as a sign.
//
// 1. The result is text and names of classes; nothing of the input is ever markup, a class, a style or an address.
// 2. No sequence swallows more than its own line, nor more than `SEQUENCE_MOST` characters.
// 3. Text is never hidden: there is no concealed text, and every colour is one of sixteen that can be read on their ground.
import { shown } from "../ui/text.ts";

export type Style = {
  /** 0–15, or absent. */
  colour?: number;
  /** 0–15, or absent. */
  ground?: number;
  bold?: boolean;
  dim?: boolean;
  italic?: boolean;
  underline?: boolean;
  strike?: boolean;
  inverse?: boolean;
};

/** A part of a text, from one place until another, with the classes that it is shown in. */
export type Run = { from: number; until: number; classes: string };

const SEQUENCE_MOST = 4096;

/** The classes of a style; empty for plain text. */
export function classesOf(style: Style): string {
  const classes = [];
  if (style.colour !== undefined) classes.push(`f${style.colour}`);
  if (style.ground !== undefined) classes.push(`g${style.ground}`);
  for (const name of ["bold", "dim", "italic", "underline", "strike", "inverse"] as const) if (style[name]) classes.push(`t-${name}`);
  return classes.join(" ");
}

/** What a piece of output consists of. */
export type Token =
  | { kind: "text"; text: string; classes: string }
  /** The line ends. */
  | { kind: "newline" }
  /** What follows is written over the line. */
  | { kind: "return" };

/** Reads one stream of output, piece by piece. */
export class AnsiReader {
  #style: Style = {};
  #classes = "";
  #rest = "";

  /** What `text` says. The beginning of a sequence that has not ended waits for the next piece. */
  push(text: string): Token[] {
    return this.#read(this.#rest + text, false);
  }

  /** What is left at the end. */
  end(): Token[] {
    return this.#read(this.#rest, true);
  }

  #read(text: string, last: boolean): Token[] {
    const tokens: Token[] = [];
    this.#rest = "";
    let plain = "";
    const flush = () => {
      if (plain !== "") tokens.push({ kind: "text", text: plain, classes: this.#classes });
      plain = "";
    };
    // Everything that is not plain.
    const special = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;
    let at = 0;
    while (at < text.length) {
      special.lastIndex = at;
      const found = special.exec(text);
      if (!found) {
        plain += text.slice(at);
        break;
      }
      plain += text.slice(at, found.index);
      at = found.index;
      const character = found[0];
      if (character === "\n") {
        flush();
        tokens.push({ kind: "newline" });
        at += 1;
      } else if (character === "\r") {
        if (text[at + 1] === undefined && !last) {
          this.#rest = "\r";
          break;
        }
        if (text[at + 1] !== "\n") {
          flush();
          tokens.push({ kind: "return" });
        }
        at += 1;
      } else if (character === "\u001b") {
        const sequence = sequenceAt(text, at);
        if (sequence === "unfinished" && !last && text.length - at <= SEQUENCE_MOST) {
          this.#rest = text.slice(at);
          break;
        }
        if (sequence === "none" || sequence === "unfinished") {
          plain += shown(character);
          at += 1;
        } else {
          const { end, graphic } = sequence;
          if (graphic !== undefined) {
            flush();
            this.#style = select(this.#style, graphic);
            this.#classes = classesOf(this.#style);
          }
          at = end;
        }
      } else {
        plain += shown(character);
        at += character.length;
      }
    }
    flush();
    return tokens;
  }
}

/** The escape sequence at `at`: where it ends, and the parameters if it is SGR. */
function sequenceAt(text: string, at: number): { end: number; graphic: string | undefined } | "unfinished" | "none" {
  const next = text[at + 1];
  if (next === undefined) return "unfinished";
  const rest = text.slice(at + 2, at + 2 + SEQUENCE_MOST);
  if (next === "[") {
    const parameters = /^[0-?]*/.exec(rest)?.[0] ?? "";
    const between = /^[ -/]*/.exec(rest.slice(parameters.length))?.[0] ?? "";
    const final = rest[parameters.length + between.length];
    if (final === undefined) return rest.length >= SEQUENCE_MOST ? "none" : "unfinished";
    if (!/[@-~]/.test(final)) return "none";
    const end = at + 2 + parameters.length + between.length + 1;
    return { end, graphic: final === "m" && between === "" && /^[0-9;:]*$/.test(parameters) ? parameters : undefined };
  }
  if ("]PX^_".includes(next)) {
    // A string: a title, a link. It ends by BEL or ESC \; one that reaches the end of the line, or another sequence, is none. So
    // nobody looks past the next ESC, and a flood of beginnings costs no more than other text.
    const end = /[\u0007\u001b\n\r]/.exec(rest);
    if (!end) return rest.length >= SEQUENCE_MOST ? "none" : "unfinished";
    const after = at + 2 + end.index + 1;
    if (end[0] === "\u0007") return { end: after, graphic: undefined };
    if (end[0] !== "\u001b") return "none";
    if (text[after] === undefined) return "unfinished";
    return text[after] === "\\" ? { end: after + 1, graphic: undefined } : "none";
  }
  if (/[ -/]/.test(next)) {
    const final = /^[ -/]*([0-~])?/.exec(rest);
    if (final?.[1] === undefined) return final?.[0].length === rest.length ? "unfinished" : "none";
    return { end: at + 2 + final[0].length, graphic: undefined };
  }
  return /[0-~]/.test(next) ? { end: at + 2, graphic: undefined } : "none";
}

/** A style after SGR parameters. */
export function select(before: Style, parameters: string): Style {
  const style: Style = { ...before };
  const codes = parameters.split(/[;:]/).map((part) => (part === "" ? 0 : Math.min(Number(part), 1000)));
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0;
    if (code === 0) for (const name of Object.keys(style) as (keyof Style)[]) delete style[name];
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 3) style.italic = true;
    else if (code === 4 || code === 21) style.underline = true;
    else if (code === 7) style.inverse = true;
    else if (code === 9) style.strike = true;
    else if (code === 22) {
      delete style.bold;
      delete style.dim;
    } else if (code === 23) delete style.italic;
    else if (code === 24) delete style.underline;
    else if (code === 27) delete style.inverse;
    else if (code === 29) delete style.strike;
    else if (code >= 30 && code <= 37) style.colour = code - 30;
    else if (code === 39) delete style.colour;
    else if (code >= 40 && code <= 47) style.ground = code - 40;
    else if (code === 49) delete style.ground;
    else if (code >= 90 && code <= 97) style.colour = code - 82;
    else if (code >= 100 && code <= 107) style.ground = code - 92;
    else if (code === 38 || code === 48) {
      let colour: number | undefined;
      if (codes[at + 1] === 5) {
        colour = ofPalette(codes[at + 2] ?? 0);
        at += 2;
      } else if (codes[at + 1] === 2) {
        colour = nearest(codes[at + 2] ?? 0, codes[at + 3] ?? 0, codes[at + 4] ?? 0);
        at += 4;
      }
      if (colour !== undefined) style[code === 38 ? "colour" : "ground"] = colour;
    }
  }
  return style;
}

const SIXTEEN: readonly (readonly [number, number, number])[] = [
  [0, 0, 0],
  [170, 0, 0],
  [0, 170, 0],
  [170, 110, 0],
  [0, 0, 170],
  [170, 0, 170],
  [0, 170, 170],
  [170, 170, 170],
  [85, 85, 85],
  [255, 85, 85],
  [85, 255, 85],
  [255, 255, 85],
  [85, 85, 255],
  [255, 85, 255],
  [85, 255, 255],
  [255, 255, 255],
];

/** The one of the sixteen that is nearest: any other colour might be the ground's. */
function nearest(red: number, green: number, blue: number): number {
  let best = 7;
  let least = Infinity;
  for (const [at, [r, g, b]] of SIXTEEN.entries()) {
    const distance = 2 * (r - red) ** 2 + 4 * (g - green) ** 2 + 3 * (b - blue) ** 2;
    if (distance < least) [best, least] = [at, distance];
  }
  return best;
}

function ofPalette(index: number): number | undefined {
  if (index < 16) return index;
  if (index > 255) return undefined;
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return nearest(grey, grey, grey);
  }
  const cube = index - 16;
  const level = (part: number) => (part === 0 ? 0 : 55 + part * 40);
  return nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}
