// Arguments in one line, as one would give them to a command: words, with quotes around those that have spaces.

/** The words of a line. A quote that is not closed goes to the end. */
export function readWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const one = line.charAt(at);
    if (one === "\\" && quote !== "'" && at + 1 < line.length) {
      word = (word ?? "") + line.charAt(++at);
    } else if (quote !== "") {
      if (one === quote) quote = "";
      else word = (word ?? "") + one;
    } else if (one === "'" || one === '"') {
      quote = one;
      word ??= "";
    } else if (/\s/.test(one)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + one;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** A line of which {@link readWords} makes these words. */
export const writeWords = (words: readonly string[]): string => words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");
