// Words that others chose: names, labels, messages, output. They are only ever put into the page as text; here what is
// invisible or turns the reading direction is made visible, so that a name cannot look like another.

const NAMES: Record<string, string> = { "\t": "⇥", "\n": "⏎", "\r": "␍" };

// Controls C0 and C1, marks and overrides of direction, joiners that do not show, the byte order mark, tags, and the separators of lines.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** How a hidden character is shown: `⟨202E⟩`. */
export function shown(character: string): string {
  const known = NAMES[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x20 ? String.fromCodePoint(0x2400 + code) : `⟨${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

/** One line of somebody else's words, harmless, of at most `most` characters. */
export function safe(text: string | null | undefined, most = 400): string {
  const whole = text ?? "";
  const cut = whole.length > most ? `${whole.slice(0, most)}…` : whole;
  return cut.toWellFormed().replace(HIDDEN, shown);
}

/** The same for text of several lines: line breaks and tabs stay. */
export function safeLines(text: string | null | undefined, most = 20_000): string {
  const whole = text ?? "";
  const cut = whole.length > most ? `${whole.slice(0, most)}…` : whole;
  return cut
    .toWellFormed()
    .replace(/\r\n?/g, "\n")
    .replace(HIDDEN, (character) => (character === "\n" || character === "\t" ? character : shown(character)));
}
