import assert from "node:assert/strict";
import { test } from "node:test";
import { readCsv, separatorOf } from "../ui/csv.ts";

test("quotes hold separators, quotes and line breaks", () => {
  assert.deepEqual(readCsv('a,"b, ""c""",d\r\n1,"two\nlines",\n').rows, [
    ["a", 'b, "c"', "d"],
    ["1", "two\nlines", ""],
  ]);
});

test("the separator is the one that the first line has most of", () => {
  assert.equal(separatorOf("a;b;c,d\n"), ";");
  assert.equal(separatorOf('"a;b;c",d\n'), ",");
  assert.equal(separatorOf("a\tb\n"), "\t");
});

test("rows, columns and cells are bounded, and it says so", () => {
  assert.deepEqual(readCsv("1,2,3\n4,5,6\n7,8,9\n", { rowsMost: 2, columnsMost: 2 }), { rows: [["1", "2"], ["4", "5"]], more: true });
  assert.deepEqual(readCsv("abcdef,x\n", { cellMost: 3 }), { rows: [["abc", "x"]], more: true });
  assert.equal(readCsv("a,b\n1,2\n").more, false);
});

test("markup in a cell is text", () => {
  assert.deepEqual(readCsv("<script>alert(1)</script>,b").rows, [["<script>alert(1)</script>", "b"]]);
});

test("a quote that never ends does not lose what was read", () => {
  assert.deepEqual(readCsv('a,"b').rows, [["a", "b"]]);
});
