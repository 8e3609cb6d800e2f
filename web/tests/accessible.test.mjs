// For those who do not see the page as we do, or have no mouse.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { DESKTOP, PHONE, arrive, visiting } from "./browser.mjs";
import { test } from "node:test";
import { REFUSED, TICKS, LEAVES } from "./programs.mjs";
import { as, world } from "./world.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The serious and critical faults of what is shown. */
async function faults(page) {
  // The policy of the page forbids its scripts, and not those of who looks on.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return violations
    .filter((one) => one.impact === "serious" || one.impact === "critical")
    .map((one) => `${one.impact} ${one.id}: ${one.help}\n${one.nodes.slice(0, 4).map((node) => `    ${node.target.join(" ")}: ${node.failureSummary.split("\n").slice(1, 3).join(" ").trim()}`).join("\n")}`);
}

const settled = (visit, place) => visit.until(`${place} has loaded`, () => document.querySelector("h1") && !document.querySelector("[aria-busy=true], .loading"));

visiting("the control: what nobody could use is found", { key: "owner" }, async (visit) => {
  await visit.go("/jobs");
  await visit.page.evaluate(() => {
    const main = document.querySelector("main");
    main.appendChild(document.createElement("button"));
    const pale = main.appendChild(document.createElement("p"));
    pale.textContent = "pale";
    pale.style.color = "#eee";
    pale.style.background = "#fff";
  });
  const found = await faults(visit.page);
  assert.ok(found.some((one) => one.includes("button-name")) && found.some((one) => one.includes("color-contrast")), found.join("\n"));
});

let places;
/** Every page, with something on it. */
async function everywhere() {
  if (places) return places;
  const ada = as("ada");
  const refused = await ada.run(REFUSED, { labels: { course: "python-1" } });
  const left = await ada.run(LEAVES);
  await ada.submit("import ctypes\nctypes.CDLL(None).syscall(39)");
  places = [
    "/",
    "/jobs",
    "/jobs?q=nothing-is-like-this",
    `/jobs/${refused.id}`,
    ...["source", "usage", "refusals", "layers", "timeline"].map((tab) => `/jobs/${refused.id}?tab=${tab}`),
    `/jobs/${left.id}?tab=artifacts`,
    "/jobs/job_00000000000000000000000000000000",
    "/queue",
    "/playground",
    "/workers",
    "/access",
    ...["people", "roles", "projects", "usage", "explain"].map((tab) => `/access?tab=${tab}`),
    "/audit",
    "/posture",
    "/nowhere",
  ];
  return places;
}

for (const [theme, size, words] of [
  ["light", DESKTOP, "in light colours on a desktop"],
  ["dark", PHONE, "in dark colours on a phone"],
  ["dark", DESKTOP, "in dark colours on a desktop"],
  ["light", PHONE, "in light colours on a phone"],
]) {
  visiting(`no page has a serious fault of accessibility ${words}, nor is it wider than the window`, { key: "owner", theme, size, timeout: 240_000 }, async (visit) => {
    const { page } = visit;
    visit.mayFail.push([/\/v1\/jobs\/job_0+/, 404]);
    const found = [];
    for (const place of await everywhere()) {
      await visit.go(place);
      await settled(visit, place);
      for (const fault of await faults(page)) found.push(`${place}: ${fault}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) found.push(`${place}: ${wide} pixels wider than the window`);
    }
    assert.deepEqual(found, [], found.join("\n"));
  });
}

test("the page where one signs in has no serious fault of accessibility", async () => {
  for (const theme of ["light", "dark"]) {
    const visit = await arrive({ theme, size: PHONE });
    try {
      await visit.go("/");
      assert.deepEqual(await faults(visit.page), []);
    } finally {
      visit.over = true;
      await visit.context.close();
    }
  }
});

visiting("dialogs have no serious fault, and give the focus back", { key: "owner" }, async (visit) => {
  const { page } = visit;
  await visit.go("/access");
  await settled(visit, "/access");
  const opener = page.getByRole("button", { name: "New key" });
  await opener.click();
  await page.getByRole("dialog", { name: "New key" }).waitFor();
  assert.deepEqual(await faults(page), []);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.ok(await opener.evaluate((one) => one === document.activeElement), "the focus is where it was");
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  assert.deepEqual(await faults(page), []);
});

/** Presses Tab until the focus is at what is wanted. */
async function tabTo(page, what, wanted, key = "Tab") {
  for (let pressed = 0; pressed < 80; pressed++) {
    const at = await page.evaluate(() => {
      const one = document.activeElement;
      return { name: (one?.getAttribute("aria-label") ?? one?.textContent ?? "").trim(), href: one?.getAttribute("href") ?? "", visible: one ? one.matches(":focus-visible") : false };
    });
    if (wanted(at)) {
      assert.ok(at.visible, `it is seen that ${what} has the focus`);
      return;
    }
    await page.keyboard.press(key);
  }
  throw new Error(`Tab never came to ${what}`);
}

visiting("without a mouse one signs in, finds a job, opens it and cancels it", {}, async (visit) => {
  const { page } = visit;
  const ada = as("ada");
  const id = await ada.submit(TICKS, { labels: { walk: "keyboard-walk" } });
  await visit.go("/jobs");
  // The field has the focus from the beginning.
  await page.keyboard.type(world.keys.ada);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Jobs", exact: true }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("keyboard-walk");
  await visit.until("one job is left", () => document.querySelector("main h1 + .faint")?.textContent === "1 job");
  await tabTo(page, "the job", ({ href }) => href.includes(id));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "main.py" }).waitFor();
  await page.getByRole("region", { name: "Output of the program" }).getByText("tick 1", { exact: true }).waitFor();
  await tabTo(page, "Cancel", ({ name }) => name === "Cancel");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Cancel this job?" }).waitFor();
  await tabTo(page, "the answer", ({ name }) => name === "Cancel the job");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal((await ada.reaches(id, "ended")).outcome.kind, "cancelled");
});

visiting("without a mouse one goes to every page by its letters, and past the menu by the first link", { key: "ada" }, async (visit) => {
  const { page } = visit;
  visit.mayFail.push([/\/v1\//, 403]);
  await visit.go("/jobs");
  for (const [letter, heading] of [["o", "Overview"], ["q", "Queue"], ["j", "Jobs"]]) {
    await page.keyboard.press("g");
    await page.keyboard.press(letter);
    await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
  }
  await page.reload();
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.keyboard.press("Tab");
  assert.equal((await page.evaluate(() => document.activeElement?.textContent)).trim(), "Skip to the page");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
});
