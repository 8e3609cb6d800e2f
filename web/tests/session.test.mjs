// Signing in and out.
import assert from "node:assert/strict";
import { visiting } from "./browser.mjs";
import { as, world } from "./world.mjs";

const field = (page) => page.getByLabel("Key", { exact: true });
const enter = (page) => page.getByRole("button", { name: "Sign in", exact: true });

visiting("a wrong key is refused in words, and signs nobody in", {}, async (visit) => {
  const { page, context } = visit;
  visit.mayFail.push([/\/v1\/session$/, 401]);
  await visit.go("/");
  assert.equal(await page.title(), "Sign in · Gambeson");
  for (const wrong of ["gmb_wrong", `${world.keys.owner}0`, "<img src=x onerror=tripwire(1)>"]) {
    await field(page).fill(wrong);
    await enter(page).click();
    await page.getByText("This key is not valid").waitFor();
    await visit.until("one may try again", () => !document.querySelector("button[type=submit]").disabled);
    assert.deepEqual(await context.cookies(), []);
  }
});

visiting("a right key leads to the page that was asked for; no program of the page can read the session, nor keeps the key", {}, async (visit) => {
  const { page, context } = visit;
  await visit.go("/jobs?state=ended");
  await field(page).fill(world.keys.ada);
  await field(page).press("Enter");
  await page.getByRole("heading", { name: "Jobs", exact: true }).waitFor();
  assert.equal(page.url(), `${world.url}/console/jobs?state=ended`);
  const [cookie, ...others] = await context.cookies();
  assert.deepEqual(others, []);
  assert.equal(cookie.httpOnly, true);
  assert.equal(cookie.sameSite, "Strict");
  const kept = await page.evaluate(() => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, document.documentElement.outerHTML]));
  assert.ok(!kept.includes("gmb_"), kept);
  assert.ok(!kept.includes(cookie.value));
  assert.equal(await page.evaluate(() => document.cookie), "");
});

visiting("signing out ends the session at the server as well", { key: "ada" }, async (visit) => {
  const { page, context } = visit;
  visit.mayFail.push([/\/v1\//, 401]);
  await visit.go("/jobs");
  const [cookie] = await context.cookies();
  const ask = () => fetch(`${world.url}/v1/whoami`, { headers: { Cookie: `${cookie.name}=${cookie.value}` } });
  assert.equal((await ask()).status, 200, "the control: it was good");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.deepEqual(await context.cookies(), []);
  assert.equal((await ask()).status, 401);
  await page.reload();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
});

visiting("who has to sign in again comes back to where they were", { key: "ada" }, async (visit) => {
  const { page, context } = visit;
  visit.mayFail.push([/\/v1\//, 401]);
  const job = await as("ada").run("print('here again')");
  await visit.go(`/jobs/${job.id}?tab=layers`);
  await page.getByText("no_new_privs").first().waitFor();
  // The session ends behind the page's back.
  const gone = await context.request.delete(`${world.url}/v1/session`, { headers: { "X-CSRF-Token": visit.session.csrf } });
  assert.equal(gone.status(), 204);
  // Whatever asks next hears of it; perhaps something did already.
  await page.evaluate(() => {
    history.pushState(null, "", "?tab=source");
    dispatchEvent(new PopStateEvent("popstate"));
  });
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.getByText("Your session is over.").waitFor();
  await field(page).fill(world.keys.ada);
  await enter(page).click();
  await page.getByRole("heading", { name: "main.py" }).waitFor();
  assert.equal(page.url(), `${world.url}/console/jobs/${job.id}?tab=source`);
  await page.getByText("here again").first().waitFor();
});

visiting("a key that is revoked ends the sessions that were made with it", {}, async (visit) => {
  const { page } = visit;
  visit.mayFail.push([/\/v1\//, 401]);
  const made = await as("ada")("POST", "/v1/keys", { name: "lent", scopes: ["*"] });
  await visit.signIn(made.secret);
  await visit.go("/jobs");
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  await as("ada")("POST", `/v1/keys/${made.key.id}/revoke`);
  await page.reload();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
});
