import assert from "node:assert/strict";
import { test } from "node:test";
import { LINE_MOST, Log, partsOf, ROWS_MOST, RUNS_MOST } from "../log/log.ts";

const AT = "2026-11-29T12:00:00.000Z";
const lines = (log: Log): string[] => log.rows.map((row) => `${row.kind}: ${row.text}`);

test("both streams keep their own unfinished lines and characters", () => {
  const log = new Log();
  log.output("stdout", { text: "one " }, AT);
  log.output("stderr", { text: "bad\n" }, AT);
  log.output("stdout", { text: "line\ntwo" }, AT);
  // An ä whose halves come apart, with something of the other stream in between.
  log.output("stdout", { base64: btoa("\u00c3") }, AT);
  log.output("stderr", { text: "x" }, AT);
  log.output("stdout", { base64: btoa("\u00a4\n") }, AT);
  log.end(AT);
  assert.deepEqual(lines(log), ["stdout: one line", "stderr: bad", "stdout: twoä", "stderr: x"]);
});

test("a line of a megabyte is cut and says by how much", () => {
  const log = new Log();
  for (let piece = 0; piece < 16; piece++) log.output("stdout", { text: "x".repeat(65_536) }, AT);
  log.output("stdout", { text: "\nnext\n" }, AT);
  assert.equal(log.rows.length, 2);
  assert.equal(log.rows[0]?.text.length, LINE_MOST);
  assert.equal(log.rows[0]?.cut, 16 * 65_536 - LINE_MOST);
  assert.equal(log.rows[1]?.text, "next");
});

test("a line that is written over counts how often", () => {
  const log = new Log();
  log.output("stdout", { text: "10 %\r20 %\r30 %\n" }, AT);
  assert.deepEqual(log.rows.map((row) => [row.text, row.rewritten]), [["30 %", 2]]);
});

test("the oldest rows go when there are too many, and numbers stay", () => {
  const log = new Log();
  const many = "\n".repeat(ROWS_MOST / 2);
  for (let piece = 0; piece < 4; piece++) log.output("stdout", { text: many }, AT);
  assert.ok(log.rows.length <= ROWS_MOST * 1.1);
  assert.equal(log.dropped + log.rows.length, ROWS_MOST * 2);
  assert.equal(log.rows.at(-1)?.number, ROWS_MOST * 2);
});

test("parts of a row are its runs, cut where a search hits", () => {
  const log = new Log();
  log.output("stdout", { text: "ab\u001b[31mCDe\u001b[0mf\n" }, AT);
  const row = log.rows[0];
  assert.ok(row);
  assert.deepEqual(partsOf(row, "bc"), [
    { text: "a", classes: "", hit: false },
    { text: "b", classes: "", hit: true },
    { text: "C", classes: "f1", hit: true },
    { text: "De", classes: "f1", hit: false },
    { text: "f", classes: "", hit: false },
  ]);
  assert.equal(partsOf(row, "").map((part) => part.text).join(""), "abCDef");
});

test("tabs are the spaces that they stand for", () => {
  const log = new Log();
  log.output("stdout", { text: "a\tb\n" }, AT);
  assert.equal(log.rows[0]?.text, "a       b");
});

test("a row of very many colours loses some of them and no text", () => {
  const log = new Log();
  log.output("stdout", { text: Array.from({ length: 3000 }, (_, at) => `\u001b[3${1 + (at % 6)}m${at % 10}`).join("") + "\n" }, "");
  const row = log.rows[0];
  assert.ok(row);
  assert.equal(row.text.length, 3000);
  assert.equal(row.runs.length, RUNS_MOST);
  const parts = partsOf(row, "");
  assert.equal(parts.length, RUNS_MOST + 1);
  assert.equal(parts.map((part) => part.text).join(""), row.text);
  assert.deepEqual(parts[RUNS_MOST - 1], { text: "9", classes: "f2", hit: false });
  assert.equal(parts.at(-1)?.classes, "");
});

test("a search hits across colours, beside another hit, and at both ends", () => {
  const log = new Log();
  log.output("stdout", { text: "ab\u001b[31mab-a\u001b[0mb\n" }, "");
  const row = log.rows[0];
  assert.ok(row);
  assert.deepEqual(
    partsOf(row, "ab").map((part) => [part.text, part.classes, part.hit]),
    [
      ["ab", "", true],
      ["ab", "f1", true],
      ["-", "f1", false],
      ["a", "f1", true],
      ["b", "", true],
    ],
  );
});
