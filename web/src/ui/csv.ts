// Reads a table of comma-separated values, as much of it as a preview shows.

export type Csv = {
  rows: string[][];
  /** Whether there is more than what was read. */
  more: boolean;
};

const SEPARATORS = [",", ";", "\t", "|"];

/** The separator that the first line has most of. */
export function separatorOf(text: string): string {
  const line = text.slice(0, 4000).split(/\r?\n/, 1)[0] ?? "";
  const bare = line.replace(/"[^"]*"/g, "");
  let best = ",";
  let most = 0;
  for (const separator of SEPARATORS) {
    const many = bare.split(separator).length - 1;
    if (many > most) [best, most] = [separator, many];
  }
  return best;
}

/** At most `rowsMost` rows of at most `columnsMost` cells, each of at most `cellMost` characters. */
export function readCsv(text: string, { rowsMost = 500, columnsMost = 60, cellMost = 300, separator = separatorOf(text) } = {}): Csv {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  let more = false;
  const put = (character: string) => {
    if (cell.length < cellMost) cell += character;
    else more = true;
  };
  const endCell = () => {
    if (row.length < columnsMost) row.push(cell);
    else more = true;
    cell = "";
  };
  const endRow = () => {
    endCell();
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  };
  let at = text.startsWith("\ufeff") ? 1 : 0;
  for (; at < text.length && rows.length < rowsMost; at++) {
    const character = text.charAt(at);
    if (quoted) {
      if (character !== '"') put(character);
      else if (text.charAt(at + 1) === '"') {
        put('"');
        at += 1;
      } else quoted = false;
    } else if (character === '"' && cell === "") quoted = true;
    else if (character === separator) endCell();
    else if (character === "\n") endRow();
    else if (character !== "\r" || text.charAt(at + 1) !== "\n") put(character);
  }
  if (rows.length < rowsMost && (cell !== "" || row.length > 0)) endRow();
  return { rows, more: more || at < text.length };
}
