import assert from "node:assert/strict";
import { test } from "node:test";
import { EventReader } from "../api/sse.ts";

const STREAM = ": hello\n\nid: 1\nevent: output\ndata: {\"a\":1}\n\nid:2\r\ndata: one\r\ndata: two\r\n\r\nevent: empty\n\ndata:  kept\n\n";
const EXPECTED = [
  { id: "1", event: "output", data: '{"a":1}' },
  { id: "2", event: "message", data: "one\ntwo" },
  { id: undefined, event: "message", data: " kept" },
];

test("an event is its lines until an empty one", () => {
  assert.deepEqual(new EventReader().push(STREAM), EXPECTED);
});

test("it does not matter where the pieces are cut", () => {
  for (let at = 1; at < STREAM.length; at++) {
    const reader = new EventReader();
    assert.deepEqual([...reader.push(STREAM.slice(0, at)), ...reader.push(STREAM.slice(at))], EXPECTED, `cut at ${at}`);
  }
});

test("an event that has not ended is not told", () => {
  assert.deepEqual(new EventReader().push("data: a\n"), []);
});
