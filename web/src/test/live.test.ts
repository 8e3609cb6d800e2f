import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { follow, type Following, type Said } from "../api/sse.ts";
import { liveness, onChange } from "../api/live.ts";

type Asked = { url: string; after: string | null; signal: AbortSignal; say: (text: string) => void };
const asked: Asked[] = [];
let refused = false;

const page = Object.assign(new EventTarget(), { hidden: false });
const show = (shown: boolean) => {
  page.hidden = !shown;
  page.dispatchEvent(new Event("visibilitychange"));
};
const settle = () => new Promise((done) => setTimeout(done, 20));

Object.assign(globalThis, {
  document: page,
  fetch: async (url: string, init: RequestInit): Promise<Response> => {
    if (refused) return Response.json({ status: 401, code: "unauthenticated", title: "No" }, { status: 401 });
    const signal = init.signal as AbortSignal;
    const body = new ReadableStream<Uint8Array>({
      start: (stream) => {
        asked.push({ url, after: new Headers(init.headers).get("last-event-id"), signal, say: (text) => stream.enqueue(new TextEncoder().encode(text)) });
        signal.addEventListener("abort", () => stream.error(signal.reason));
      },
    });
    return new Response(body);
  },
});

beforeEach(() => {
  asked.length = 0;
  refused = false;
  page.hidden = false;
});

test("a hidden page holds no connection, and one that is shown again goes on where it was", async () => {
  const said: Said[] = [];
  const states: Following[] = [];
  const controller = new AbortController();
  const over = follow("/v1/jobs/job_1/events", { signal: controller.signal, each: (one) => void said.push(one), state: (state) => states.push(state) });
  await settle();
  asked[0]?.say("id: 7\ndata: a\n\n");
  await settle();
  assert.equal(asked[0]?.signal.aborted, false);
  show(false);
  await settle();
  assert.equal(asked[0]?.signal.aborted, true);
  assert.equal(asked.length, 1);
  show(true);
  await settle();
  assert.deepEqual(asked.map((one) => one.after), [null, "7"]);
  assert.deepEqual(states, ["connecting", "open", "hidden", "connecting", "open"]);
  assert.deepEqual(said.map((one) => one.data), ["a"]);
  controller.abort();
  await over;
});

test("a page that is left while it is hidden asks for nothing when it is shown", async () => {
  show(false);
  const controller = new AbortController();
  const over = follow("/v1/changes", { signal: controller.signal, each: () => undefined });
  await settle();
  controller.abort();
  await over;
  show(true);
  await settle();
  assert.equal(asked.length, 0);
});

test("what changed while the page was hidden is missed", async () => {
  const told: string[] = [];
  const stop = onChange((change) => told.push(change.type));
  await settle();
  assert.deepEqual([liveness.peek(), told], ["live", []]);
  show(false);
  await settle();
  show(true);
  await settle();
  assert.deepEqual([liveness.peek(), told, asked.length], ["live", ["missed"], 2]);
  stop();
  await new Promise((done) => setTimeout(done, 1100));
  assert.equal(liveness.peek(), "off");
  assert.equal(asked[1]?.signal.aborted, true);
});

test("a page that was opened in the background lists again when it is shown", async () => {
  show(false);
  const told: string[] = [];
  const stop = onChange((change) => told.push(change.type));
  await settle();
  assert.equal(asked.length, 0);
  show(true);
  await settle();
  assert.deepEqual(told, ["missed"]);
  stop();
  await new Promise((done) => setTimeout(done, 1100));
});

test("who signs in at once after a session was over hears what changes", async () => {
  refused = true;
  const before = onChange(() => undefined);
  await settle();
  assert.equal(liveness.peek(), "off");
  before();
  refused = false;
  const told: string[] = [];
  const stop = onChange((change) => told.push(change.type));
  await settle();
  assert.equal(liveness.peek(), "live");
  asked[0]?.say('data: {"type":"missed"}\n\n');
  await settle();
  assert.deepEqual(told, ["missed"]);
  // The first listener's second is over; the stream is the second's.
  await new Promise((done) => setTimeout(done, 1100));
  assert.equal(asked[0]?.signal.aborted, false);
  stop();
  await new Promise((done) => setTimeout(done, 1100));
});
