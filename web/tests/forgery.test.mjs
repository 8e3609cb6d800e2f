// A page of another origin cannot act with the session of who looks at it.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { visiting } from "./browser.mjs";
import { until } from "./platform.mjs";
import { SLEEPS } from "./programs.mjs";
import { as, world } from "./world.mjs";

/** A server of somebody else's pages, on another port: of another origin, yet of the same site, so that even a strict cookie is sent. */
async function stranger(page) {
  const server = createServer((_, response) => {
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.end(page);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: server.address().port, stop: () => server.close() };
}

visiting("forms and requests of another origin change nothing and read nothing; the same request from the console works", { key: "ada" }, async (visit) => {
  const { page, context } = visit;
  visit.strangers = true;
  const ada = as("ada");
  const job = await ada.submit(SLEEPS);
  await ada.reaches(job, "running");
  const keys = async () => (await ada("GET", "/v1/keys")).keys.filter((key) => !key.revoked_at).length;
  const before = await keys();
  const sent = [];
  page.on("response", (response) => response.url().startsWith(`${world.url}/v1/`) && sent.push([response.request().method(), response.status()]));
  const [cookie] = await context.cookies();
  const other = await stranger("<!doctype html><title>another</title><iframe name=into></iframe>");
  try {
    for (const host of ["127.0.0.1", "localhost"]) {
      await page.goto(`http://${host}:${other.port}/`);
      const tried = await page.evaluate(
        async ({ url, job, csrf, wrong }) => {
          const said = [];
          const ask = async (method, path, init) => {
            try {
              const response = await fetch(url + path, { method, credentials: "include", ...init });
              said.push([method, path, response.type, response.status, response.type === "opaque" ? "" : await response.text()]);
            } catch {
              said.push([method, path, "failed"]);
            }
          };
          const key = JSON.stringify({ name: "forged", scopes: ["*"] });
          for (const body of [undefined, "{}", new URLSearchParams({ a: "b" }), new FormData()]) {
            await ask("POST", `/v1/jobs/${job}/cancel`, { mode: "no-cors", body });
            await ask("POST", `/v1/jobs/${job}/cancel`, { body });
          }
          await ask("POST", "/v1/keys", { mode: "no-cors", body: key });
          await ask("POST", "/v1/keys", { mode: "no-cors", body: new Blob([key], { type: "text/plain" }) });
          await ask("POST", "/v1/keys", { headers: { "Content-Type": "application/json" }, body: key });
          // Not even with the token, should it have leaked.
          await ask("POST", "/v1/keys", { headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf }, body: key });
          await ask("POST", `/v1/jobs/${job}/cancel`, { headers: { "X-CSRF-Token": csrf } });
          await ask("DELETE", "/v1/session", {});
          // Signing somebody in as somebody else.
          await ask("POST", "/v1/session", { mode: "no-cors", body: JSON.stringify({ key: wrong }) });
          for (const path of ["/v1/session", "/v1/whoami", "/v1/jobs", `/v1/jobs/${job}/source`, "/v1/keys"]) {
            await ask("GET", path, {});
            await ask("GET", path, { mode: "no-cors" });
          }
          return said;
        },
        { url: world.url, job, csrf: visit.session.csrf, wrong: world.keys.sam },
      );
      for (const one of tried) assert.ok(one[2] === "failed" || (one[2] === "opaque" && one[3] === 0), JSON.stringify(one));
      // Forms into a frame, and as a whole page.
      for (const target of ["into", "_self"]) {
        for (const [path, type, name] of [
          [`/v1/jobs/${job}/cancel`, "application/x-www-form-urlencoded", "a"],
          [`/v1/jobs/${job}/cancel`, "text/plain", "a"],
          ["/v1/keys", "text/plain", '{"name":"forged","scopes":["*"],"x":"'],
          ["/v1/session", "text/plain", `{"key":"${world.keys.sam}","x":"`],
        ]) {
          // A page that the form before left for may still be on its way.
          await until("the stranger's page is there", () => page.goto(`http://${host}:${other.port}/`).then(() => true, () => false));
          const answered = page.waitForResponse((response) => response.url() === world.url + path);
          await page.evaluate(
            ({ action, type, name, target }) => {
              const form = document.body.appendChild(document.createElement("form"));
              Object.assign(form, { method: "post", action, enctype: type, target });
              const field = form.appendChild(document.createElement("input"));
              Object.assign(field, { name, value: '"}' });
              form.submit();
            },
            { action: world.url + path, type, name, target },
          );
          const status = (await answered).status();
          assert.ok(status >= 400 && status < 500, `${path} as ${type} was answered ${status}`);
        }
      }
      // The console is not shown inside another page.
      await until("the stranger's page is there", () => page.goto(`http://${host}:${other.port}/`).then(() => true, () => false));
      const frame = await page.evaluate(
        (url) =>
          new Promise((resolve) => {
            const frame = document.body.appendChild(document.createElement("iframe"));
            frame.onload = () => resolve("loaded");
            frame.src = url;
          }),
        `${world.url}/console/jobs`,
      );
      assert.equal(frame, "loaded");
      const inside = page.frames().at(-1);
      assert.equal(await inside.locator("#console").count(), 0, "the console stands in a stranger's frame");
    }
    assert.ok(sent.some(([method, status]) => method === "POST" && status >= 400), "the requests did arrive");
    assert.ok(!sent.some(([, status]) => status < 300), JSON.stringify(sent));
    assert.equal((await ada.job(job)).state, "running");
    assert.equal((await ada.job(job)).cancel_requested ?? false, false);
    assert.equal(await keys(), before);
    assert.deepEqual((await context.cookies()).map((one) => one.value), [cookie.value]);
    const still = await context.request.get(`${world.url}/v1/whoami`);
    assert.equal((await still.json()).user.name, "ada", "the session goes on, and is hers");
  } finally {
    other.stop();
  }
  // The control: the console's own page, without the token and with it.
  await visit.go("/jobs");
  const act = (headers) => page.evaluate(async ({ path, headers }) => (await fetch(path, { method: "POST", headers })).status, { path: `/v1/jobs/${job}/cancel`, headers });
  assert.equal(await act({}), 403);
  assert.equal(await act({ "X-CSRF-Token": "0".repeat(visit.session.csrf.length) }), 403);
  assert.equal((await ada.job(job)).cancel_requested ?? false, false);
  assert.ok((await act({ "X-CSRF-Token": visit.session.csrf })) < 300);
  assert.equal((await ada.reaches(job, "ended")).outcome.kind, "cancelled");
  // What a browser says of refused requests and frames is as it should be here.
  assert.ok(!visit.faults.some((fault) => fault.startsWith("something ran")));
  visit.faults.length = 0;
});
