// Keys, and who may see and do what.
import assert from "node:assert/strict";
import { visiting } from "./browser.mjs";
import { client } from "./platform.mjs";
import { SLEEPS } from "./programs.mjs";
import { as, world } from "./world.mjs";

visiting("a key is made, its secret is shown once and works, and revoked it works no more", { key: "ada" }, async (visit) => {
  const { page } = visit;
  await visit.go("/access");
  await page.getByRole("button", { name: "New key" }).click();
  const form = page.getByRole("dialog", { name: "New key" });
  await form.getByLabel("Name").fill("pocket");
  await form.getByRole("button", { name: "Make the key" }).click();
  const shown = page.getByRole("dialog", { name: "The key pocket" });
  const secret = (await shown.locator("[data-secret]").innerText()).trim();
  assert.match(secret, /^gmb_[0-9a-f]{32}_[0-9a-f]{64}$/);
  const who = await client(world.url, secret)("GET", "/v1/whoami");
  assert.equal(who.user.name, "ada");
  assert.deepEqual([...who.key.scopes].sort(), ["jobs:read", "jobs:write"]);
  await shown.getByRole("button", { name: "I have it" }).click();
  await shown.waitFor({ state: "detached" });
  const everything = () => page.evaluate(() => JSON.stringify([document.documentElement.outerHTML, { ...localStorage }, { ...sessionStorage }, location.href]));
  assert.ok(!(await everything()).includes(secret.slice(-64)), "it is nowhere once the dialog is closed");
  await page.reload();
  await page.getByText("pocket").first().waitFor();
  assert.ok(!(await everything()).includes(secret.slice(-64)));
  await page.getByRole("button", { name: "Revoke pocket" }).click();
  const question = page.getByRole("dialog", { name: "Revoke pocket?" });
  await question.getByRole("button", { name: "Leave it" }).click();
  assert.equal((await client(world.url, secret).raw("GET", "/v1/whoami")).status, 200, "a question that is left changes nothing");
  await page.getByRole("button", { name: "Revoke pocket" }).click();
  await question.getByRole("button", { name: "Revoke the key" }).click();
  await question.waitFor({ state: "detached" });
  assert.equal((await client(world.url, secret).raw("GET", "/v1/whoami")).status, 401);
});

const SECRETS = ["secret-of-lab", "ada-laptop", "noor"];
const PLACES = ["/", "/jobs", "/queue", "/playground", "/workers", "/access", "/access?tab=people", "/access?tab=roles", "/access?tab=projects", "/access?tab=usage", "/access?user=ada", "/audit", "/posture"];
const settled = (visit, place) => visit.until(`${place} has loaded`, () => document.querySelector("main h1") && !document.querySelector("main [aria-busy=true], main .loading"));

visiting("a submitter of another project sees nothing of this one, on no page and by no address", { key: "sam" }, async (visit) => {
  const { page, context } = visit;
  visit.mayFail.push([/\/v1\//, 403], [/\/v1\//, 404]);
  const job = await as("ada").submit(`${SLEEPS}# secret-of-lab\n`, { labels: { note: "secret-of-lab" }, entry: "secret-of-lab.py", files: { "secret-of-lab.py": SLEEPS } });
  try {
    const bare = job.slice(4);
    for (const place of [...PLACES, `/jobs?project=lab`, `/jobs?user=ada`]) {
      await visit.go(place);
      await settled(visit, place);
      const text = await page.locator("main").innerText();
      for (const secret of [...SECRETS, bare]) assert.ok(!text.includes(secret), `${place} shows ${secret}: ${text}`);
    }
    for (const tab of ["log", "source", "usage", "refusals", "artifacts", "layers", "timeline"]) {
      await visit.go(`/jobs/${job}?tab=${tab}`);
      await page.getByText(/no such|not found|does not exist|there is no/i).first().waitFor();
      assert.ok(!(await page.locator("body").innerText()).includes("secret-of-lab"));
    }
    await visit.go(`/playground?from=${job}`);
    await page.getByText(/no such|not found|does not exist|there is no/i).first().waitFor();
    // What the pages do not offer, the interface refuses.
    const headers = { "X-CSRF-Token": visit.session.csrf };
    for (const [method, path] of [["GET", ""], ["GET", "/source"], ["GET", "/events"], ["GET", "/artifacts"], ["POST", "/cancel"], ["POST", "/approve"]]) {
      const answer = await context.request.fetch(`${world.url}/v1/jobs/${job}${path}`, { method, headers });
      assert.equal(answer.status(), 404, `${method} ${path}`);
    }
    assert.equal((await as("ada").job(job)).state, "running");
  } finally {
    await as("ada")("POST", `/v1/jobs/${job}/cancel`);
  }
});

visiting("a viewer reads a job of their project, and is offered nothing that changes it", { key: "vera" }, async (visit) => {
  const { page, context } = visit;
  visit.mayFail.push([/\/v1\//, 403], [/\/v1\//, 404]);
  const job = await as("ada").submit("print('seen by vera', flush=True)\nimport time\ntime.sleep(3600)");
  try {
    await visit.go(`/jobs/${job}`);
    await page.getByRole("region", { name: "Output of the program" }).getByText("seen by vera").waitFor();
    for (const name of ["Cancel", "Approve"]) assert.equal(await page.getByRole("button", { name }).count(), 0, name);
    assert.equal(await page.getByRole("link", { name: "Run again with changes" }).count(), 0);
    await page.getByRole("tab", { name: /Source/ }).click();
    await page.locator(".cm-content", { hasText: "seen by vera" }).waitFor();
    await visit.go("/playground");
    await page.getByRole("button", { name: "Run", exact: true }).and(page.locator(":disabled")).waitFor();
    const headers = { "X-CSRF-Token": visit.session.csrf };
    const cancel = await context.request.post(`${world.url}/v1/jobs/${job}/cancel`, { headers });
    assert.ok([403, 404].includes(cancel.status()));
    const submit = await context.request.post(`${world.url}/v1/jobs`, { headers, data: { project: "lab", files: { "main.py": "1" } } });
    assert.ok([403, 404].includes(submit.status()));
    for (const place of PLACES) {
      await visit.go(place);
      await settled(visit, place);
      assert.equal(await page.locator("main .state.failed").count() > 1, false, `${place} fails once at most`);
    }
    assert.equal((await as("ada").job(job)).state, "running");
  } finally {
    await as("ada")("POST", `/v1/jobs/${job}/cancel`);
  }
});

visiting("whoever looks at all of the page of access is refused nothing", { key: "sam" }, async (visit) => {
  const { page } = visit;
  const refused = async () => (await as()("GET", "/v1/audit?order=newest&actor=sam&allowed=false&limit=1")).rows[0]?.seq;
  const before = await refused();
  await visit.go("/access");
  await settled(visit, "/access");
  for (const tab of await page.getByRole("tab").all()) {
    await tab.click();
    await settled(visit, "a tab");
  }
  // Who is there is not his to know.
  assert.deepEqual(await page.getByRole("tab").allInnerTexts(), ["Keys", "Projects", "Usage", "May they?"]);
  assert.equal(await refused(), before);
});

visiting("the owner drains a worker and lets it work again", { key: "owner" }, async (visit) => {
  const { page } = visit;
  await visit.go("/workers");
  await page.getByText("bench-1").first().waitFor();
  await page.getByRole("button", { name: /^Drain/ }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: /drain/i }).click();
  await page.getByRole("button", { name: /^Undrain|work again/i }).first().click();
  const dialog = page.getByRole("dialog").getByRole("button", { name: /undrain|again/i });
  if (await dialog.count()) await dialog.click();
  await page.getByRole("button", { name: /^Drain/ }).first().waitFor();
  const { workers } = await as()("GET", "/v1/workers");
  assert.ok(workers.every((worker) => !worker.drained && worker.state !== "draining"), JSON.stringify(workers));
});

visiting("the audit log is read, searched and verified", { key: "otto" }, async (visit) => {
  const { page } = visit;
  visit.mayFail.push([/\/v1\//, 403], [/\/v1\//, 404]);
  await visit.go("/audit");
  await page.getByLabel(/^Action/).fill("project.create");
  await page.getByLabel(/^Action/).press("Enter");
  await visit.until("only that action is left", () => [...document.querySelectorAll("main .mono, main td, main [role=cell]")].some((one) => one.textContent.includes("project.create")) && !document.querySelector("main").textContent.includes("job.submit"));
  await page.getByRole("button", { name: /verify/i }).click();
  await page.getByText(/whole/i).first().waitFor();
});

visiting("what one types into a filter stays while the page reads on", { key: "otto" }, async (visit) => {
  const { page } = visit;
  for (const [place, label, name, rows] of [["/audit", /^Action/, "action", ".audit-rows"], ["/jobs", "User, by name", "user", ".vtable-row"]]) {
    let answer;
    const answered = new Promise((resolve) => (answer = resolve));
    await page.route(new RegExp(`/v1${place}\\?`), async (route) => (await answered, route.continue()), { times: 1 });
    await visit.go(place);
    const field = page.getByLabel(label);
    await field.fill("ada");
    answer();
    await page.locator(rows).first().waitFor();
    assert.equal(await field.inputValue(), "ada");
    await field.press("Enter");
    await visit.until("it is looked for", (asked) => location.search.includes(asked), `${name}=ada`);
  }
});
