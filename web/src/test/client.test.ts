import assert from "node:assert/strict";
import { test } from "node:test";
import { address, call, signIn, signOut } from "../api/client.ts";
import { session } from "../api/session.ts";

// The router looks where it is as soon as it is loaded.
Object.assign(globalThis, { location: { pathname: "/console/", search: "" } });
const { match } = await import("../router.ts");

test("a place is filled with one part, and only a path keeps its slashes", () => {
  assert.equal(address("/v1/jobs/{id}", { id: "job_1" }), "/v1/jobs/job_1");
  assert.equal(address("/v1/jobs/{id}/artifacts/{path}", { id: "job_1", path: "out/a b?.png" }), "/v1/jobs/job_1/artifacts/out/a%20b%3F.png");
  assert.equal(address("/v1/jobs/{id}", { id: "job_1/artifacts/x.json" }), "/v1/jobs/job_1%2Fartifacts%2Fx.json");
});

test("no address of the console leads to another operation", () => {
  const jobs = "http://here/v1/jobs/";
  for (const path of ["/jobs/..%2Fsession", "/jobs/..%2F..%2Fmetrics", "/jobs/x%2F..%2F..%2Fkeys", "/jobs/x%3Fy", "/jobs/x%23y"]) {
    const id = match("/jobs/:id", path)?.id;
    assert.ok(id !== undefined, path);
    const asked = new URL(address("/v1/jobs/{id}/cancel", { id }), "http://here");
    assert.ok(asked.href.startsWith(jobs) && asked.pathname.split("/").length === 5, asked.href);
  }
  for (const id of ["..", "."]) assert.throws(() => address("/v1/jobs/{id}", { id }), /leads nowhere/);
  assert.throws(() => address("/v1/jobs/{id}/artifacts/{path}", { id: "job_1", path: "a/../../b" }), /leads nowhere/);
});

test("who signs out leaves nothing behind in the tab", async () => {
  const kept = new Map([["gambeson.draft", "a program"]]);
  Object.assign(globalThis, { sessionStorage: { clear: () => kept.clear() }, fetch: async () => new Response(null, { status: 204 }) });
  await signOut();
  assert.equal(kept.size, 0);
});

test("where another user signed in meanwhile, it is found out who it is, and what was asked for is not repeated", async () => {
  const is = (name: string) => ({ who: { user: { name }, key: { id: name } }, csrf: `of ${name}` });
  const asked: string[] = [];
  let whose = "ann";
  const answer = (operation: string, csrf: string | undefined): Response => {
    if (operation.endsWith("/v1/session")) return Response.json(is(whose));
    return csrf === `of ${whose}` ? new Response(null, { status: 204 }) : Response.json({ status: 403, code: "csrf_failed", title: "No" }, { status: 403 });
  };
  Object.assign(globalThis, {
    fetch: async (url: string, init: RequestInit) => {
      asked.push(`${init.method} ${url}`);
      return answer(`${init.method} ${url}`, (init.headers as Record<string, string>)["X-CSRF-Token"]);
    },
  });
  await signIn("gmb_ann");
  const cancel = () => call("POST /v1/jobs/{id}/cancel", { path: { id: "job_1" }, again: true });
  await cancel();
  whose = "bob";
  asked.length = 0;
  await assert.rejects(cancel(), { code: "csrf_failed" });
  await new Promise((done) => setTimeout(done));
  assert.equal(session.peek()?.who.user.name, "bob");
  assert.deepEqual(asked, ["POST /v1/jobs/job_1/cancel", "GET /v1/session"]);
  await cancel();
});

test("a request that reads and is refused as none of ours asks for nothing more", async () => {
  let asked = 0;
  Object.assign(globalThis, {
    fetch: async () => {
      asked += 1;
      return Response.json({ status: 403, code: "csrf_failed", title: "No" }, { status: 403 });
    },
  });
  assert.ok(session.peek());
  await assert.rejects(call("GET /v1/session"), { code: "csrf_failed" });
  await new Promise((done) => setTimeout(done));
  assert.equal(asked, 1);
});

test("a session is over when it is not there to be read either, and not because one request came too late", async () => {
  let mine: boolean = true;
  Object.assign(globalThis, {
    fetch: async (url: string) =>
      mine && url === "/v1/session" ? Response.json({ who: { user: { name: "bob" } }, csrf: "of bob" }) : Response.json({ status: 401, code: "unauthenticated", title: "No" }, { status: 401 }),
  });
  const late = async () => {
    await assert.rejects(call("GET /v1/queue"), { status: 401 });
    await new Promise((done) => setTimeout(done));
  };
  await late();
  assert.equal(session.peek()?.csrf, "of bob");
  mine = false;
  await late();
  assert.equal(session.peek(), null);
});
