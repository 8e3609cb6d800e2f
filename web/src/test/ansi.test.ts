import assert from "node:assert/strict";
import { test } from "node:test";
import { AnsiReader, classesOf, select, type Token } from "../log/ansi.ts";

const read = (...pieces: string[]): Token[] => {
  const reader = new AnsiReader();
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
};
const textOf = (tokens: Token[]): string => tokens.map((token) => (token.kind === "text" ? token.text : token.kind === "newline" ? "\n" : "\r")).join("");

test("colours become classes and end where they are reset", () => {
  assert.deepEqual(read("a\u001b[1;31mb\u001b[0mc"), [
    { kind: "text", text: "a", classes: "" },
    { kind: "text", text: "b", classes: "f1 t-bold" },
    { kind: "text", text: "c", classes: "" },
  ]);
});

test("a sequence that comes in pieces is the same as one that comes whole", () => {
  const whole = "x\u001b[38;5;208my\u001b]0;title\u0007z\r\nw\u001b[0m!";
  const expected = textOf(read(whole));
  assert.equal(expected, "xyz\nw!");
  for (let at = 1; at < whole.length; at++) assert.equal(textOf(read(whole.slice(0, at), whole.slice(at))), expected, `cut at ${at}`);
});

test("the cursor, titles, links and answers do nothing", () => {
  assert.equal(textOf(read("a\u001b[2J\u001b[H\u001b[10A\u001b[?25l\u001b]8;;http://x/\u0007link\u001b]8;;\u001b\\\u001bc\u001b(B\u001bPq\u001b\\b")), "alinkb");
});

test("a string that does not end on its line hides nothing", () => {
  assert.equal(textOf(read("\u001b]0;secret\nseen")), "␛]0;secret\nseen");
  assert.equal(textOf(read("\u001b]0;secret")), "␛]0;secret");
  const long = `\u001b]0;${"x".repeat(10_000)}\u0007after`;
  assert.ok(textOf(read(long)).startsWith("␛]0;xxx"));
});

test("concealed text is shown", () => {
  assert.deepEqual(read("\u001b[8mhidden"), [{ kind: "text", text: "hidden", classes: "" }]);
});

test("controls and marks of direction are signs and no controls", () => {
  assert.equal(textOf(read("a\u0000b\u0007c\u009b31md\u202ee\u2066f\u200bg\ufeff")), "a␀b␇c⟨009B⟩31md⟨202E⟩e⟨2066⟩f⟨200B⟩g⟨FEFF⟩");
  assert.equal(textOf(read("\u{e0041}")), "⟨E0041⟩");
});

test("a carriage return before a newline is no return", () => {
  assert.deepEqual(
    read("a\r", "\nb\rc").map((token) => token.kind),
    ["text", "newline", "text", "return", "text"],
  );
});

test("joiners that letters and pictures need stay", () => {
  assert.equal(textOf(read("👩\u200d🚀")), "👩\u200d🚀");
});

test("classes are only ever those that we named", () => {
  for (const parameters of ["38;5;999", "38;2;300;-1;x", "48;5", "38", "1;2;3;4;7;9", "999999999999", "38;2", ";;;"]) {
    const classes = classesOf(select({}, parameters));
    assert.match(classes, /^([fg]\d{1,2}|t-[a-z]+)?( ([fg]\d{1,2}|t-[a-z]+))*$/, parameters);
  }
  assert.equal(classesOf(select({}, "38;2;255;0;0")), "f1");
  assert.equal(classesOf(select({}, "48;5;21")), "g4");
});

test("a string ends by its own end and by no other sequence", () => {
  assert.equal(textOf(read("a\u001b]8;;x\u001b\\b\u001bPq\u0007c")), "abc");
  assert.deepEqual(read("\u001b]0;t\u001b[31mx"), [
    { kind: "text", text: "␛]0;t", classes: "" },
    { kind: "text", text: "x", classes: "f1" },
  ]);
  assert.equal(textOf(read("\u001b]0;t\u001b", "\\x")), "x", "cut between the two characters of its end");
});

test("a flood of beginnings that never end is read as fast as other text", () => {
  const took = (text: string): number => {
    const begun = performance.now();
    read(text);
    return performance.now() - begun;
  };
  took("\u001b]".repeat(10_000));
  const control = took("\u001b[".repeat(100_000));
  const flood = took("\u001b]".repeat(100_000));
  // It took some thirty times as long when each looked at the 4096 characters after it.
  assert.ok(flood < 10 * control + 100, `${flood} ms, and ${control} ms`);
});
