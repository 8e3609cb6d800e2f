import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { Limits } from "../api/v1.ts";
import { LIMITS, limitProblem, readLimit, writeLimit } from "../ui/limits.ts";
import { readCount, readCpus, readDuration, readSize, writeDuration, writeSize } from "../ui/quantity.ts";
import { readWords, writeWords } from "../playground/words.ts";

test("words are read as a command line has them, and written so that they are read back", () => {
  const read: [string, string[]][] = [
    ["", []],
    ["  a  b ", ["a", "b"]],
    ["'two words' \"and three\"", ["two words", "and three"]],
    ["--name='x y' z", ["--name=x y", "z"]],
    ["''", [""]],
    ["a\\ b \"\\\"\" '\\'", ["a b", '"', "\\"]],
    ["'not closed", ["not closed"]],
  ];
  for (const [line, words] of read) deepEqual(readWords(line), words, line);
  for (const words of [["a", "b c", ""], ["it's", '"', "\\", "$HOME", "ü"], ["--x=1", "*"]]) deepEqual(readWords(writeWords(words)), words, writeWords(words));
});

test("quantities are what the server takes them for", () => {
  deepEqual(["512K", "64M", "1.5G", "7", "2 GiB", "1kb"].map(readSize), [512 * 1024, 64 * 2 ** 20, 1.5 * 2 ** 30, 7, 2 ** 31, 1024]);
  deepEqual(["500ms", "10s", "2m", "3", "1h", "1d"].map(readDuration), [500, 10_000, 120_000, 3000, 3_600_000, 86_400_000]);
  deepEqual([readCpus("0.5"), readCount("12")], [500, 12]);
  for (const bad of ["", "M", "1X", "-1", "1e3", "1 2", "١"]) {
    equal(readSize(bad), undefined, bad);
    equal(readDuration(bad), undefined, bad);
    equal(readCount(bad), undefined, bad);
  }
  for (const size of [1, 1000, 1024, 3 * 2 ** 20, 2 ** 40 + 1]) equal(readSize(writeSize(size)), size);
  for (const ms of [1, 999, 60_000, 5_400_000, 86_400_000]) equal(readDuration(writeDuration(ms)), ms);
});

test("a limit above the ceiling is told before it is asked for", () => {
  const ceiling = Object.fromEntries(LIMITS.map((field) => [field.of, field.usual])) as Limits;
  for (const field of LIMITS) {
    equal(limitProblem(field, "", ceiling), undefined);
    equal(limitProblem(field, writeLimit(field, field.usual), ceiling), undefined, field.name);
    equal(readLimit(field, writeLimit(field, field.usual)), field.usual);
    equal(limitProblem(field, writeLimit(field, field.usual + 1000), ceiling)?.startsWith("The project allows at most "), true, field.name);
    equal(limitProblem(field, "lots", ceiling)?.startsWith("Write "), true);
    equal(limitProblem(field, "0", undefined), "Nothing runs with none of it.");
  }
});
