import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { signOut } from "../api/client.ts";
import { session, signedOut } from "../api/session.ts";
import { change, draft, keepDraft } from "../playground/draft.ts";

const kept = new Map<string, string>();
Object.assign(globalThis, {
  window: globalThis,
  fetch: async () => new Response(null, { status: 204 }),
  sessionStorage: {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
    clear: () => kept.clear(),
  },
});

const signIn = (id: string) => {
  signedOut.value = false;
  session.value = { who: { user: { id }, key: { id }, roles: [] }, csrf: "", expires_at: "" } as unknown as NonNullable<typeof session.value>;
};
const timeOut = () => (session.value = null);

beforeEach(() => kept.clear());

test("who is timed out finds their draft again", () => {
  signIn("ann");
  let leave = keepDraft();
  change({ files: { "main.py": "an hour of work" } });
  timeOut();
  leave();
  signIn("ann");
  leave = keepDraft();
  assert.deepEqual(draft.peek().files, { "main.py": "an hour of work" });
  leave();
});

test("nobody sees another's draft, not even before their own is read", () => {
  signIn("ann");
  let leave = keepDraft();
  change({ files: { "main.py": "ann's" }, env: "TOKEN=ann's" });
  timeOut();
  leave();
  signIn("bob");
  assert.ok(!JSON.stringify(draft.peek()).includes("ann's"));
  leave = keepDraft();
  assert.ok(!JSON.stringify(draft.peek()).includes("ann's"));
  leave();
  assert.ok(!JSON.stringify([...kept]).includes("ann's"));
});

test("whose session was replaced in another tab keeps it as theirs", () => {
  signIn("ann");
  const leave = keepDraft();
  change({ stdin: "ann's" });
  signIn("bob");
  leave();
  assert.equal(JSON.parse([...kept.values()][0] ?? "null").whose, "ann");
});

test("who signs out leaves no draft behind, though the page was open", async () => {
  signIn("ann");
  const leave = keepDraft();
  change({ stdin: "ann's" });
  await signOut();
  leave();
  assert.equal(kept.size, 0);
  assert.ok(!JSON.stringify(draft.peek()).includes("ann's"));
});
