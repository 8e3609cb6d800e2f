// Writing a program, reading what is foretold, running it, seeing what came of it.
import assert from "node:assert/strict";
import { visiting } from "./browser.mjs";
import { paste } from "./paste.mjs";
import { LEAVES, REFUSED, REFUSED_AT, TICKS } from "./programs.mjs";
import { as } from "./world.mjs";

const log = (page) => page.getByRole("region", { name: "Output of the program" });
const run = (page) => page.getByRole("button", { name: "Run", exact: true });
const jobOf = async (page) => (await page.locator(".run-head a").getAttribute("href")).split("/").at(-1);

visiting("what is typed is read at once, and what will be refused is underlined before it runs", { key: "ada" }, async (visit) => {
  const { page } = visit;
  const newest = async () => (await as("ada")("GET", "/v1/jobs?limit=1")).jobs[0]?.id;
  const before = await newest();
  await visit.go("/playground");
  await page.locator(".cm-content").focus();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("import socket\nsocket.create_connection(('192.0.2.1', 80))", { delay: 5 });
  const underlined = page.locator(".cm-lintRange", { hasText: "socket.create_connection" });
  await underlined.first().waitFor();
  await page.locator(".remark", { hasText: "main.py:2" }).waitFor();
  // The program is mended, and nothing is left to remark.
  await paste(page, "print(1)");
  await page.getByText("Nothing to remark.").waitFor();
  assert.equal(await underlined.count(), 0);
  // Nothing of it was queued.
  assert.equal(await newest(), before);
});

visiting("a program that is run shows its output while it comes, and is cancelled", { key: "ada" }, async (visit) => {
  const { page } = visit;
  await visit.go("/playground");
  await paste(page, TICKS);
  await run(page).click();
  await log(page).getByText("tick 3", { exact: true }).waitFor();
  const id = await jobOf(page);
  assert.equal((await as("ada").job(id)).state, "running");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog", { name: "Cancel this job?" }).getByRole("button", { name: "Cancel the job" }).click();
  await page.locator(".run-head").getByText(/cancelled/i).waitFor();
  assert.equal((await as("ada").reaches(id, "ended")).outcome.kind, "cancelled");
  await visit.until("it can be run again", () => [...document.querySelectorAll("button")].some((one) => one.textContent.trim() === "Run" && !one.disabled));
});

visiting("Ctrl-Enter runs it, and what was refused is marked at its line", { key: "ada" }, async (visit) => {
  const { page } = visit;
  await visit.go("/playground");
  await paste(page, REFUSED);
  await page.keyboard.press("Control+Enter");
  await log(page).getByText("refused:", { exact: false }).waitFor();
  const refused = page.locator(".cm-lintRange-error").first();
  await refused.waitFor();
  const line = await refused.evaluate((one) => [...one.closest(".cm-content").children].indexOf(one.closest(".cm-line")) + 1);
  assert.equal(line, REFUSED_AT);
});

visiting("pictures that a program left are shown beside its output", { key: "ada" }, async (visit) => {
  const { page } = visit;
  await visit.go("/playground");
  await paste(page, LEAVES);
  await run(page).click();
  await visit.until("the picture is decoded", () => document.querySelector(".run-pictures img")?.naturalWidth === 320);
  await page.getByRole("link", { name: "4 other files" }).click();
  await page.getByRole("heading", { name: "main.py" }).waitFor();
  await page.getByText("table.csv").waitFor();
});

visiting("a limit that is set holds, and one that the project forbids is said before it is sent", { key: "ada" }, async (visit) => {
  const { page } = visit;
  await visit.go("/playground");
  await paste(page, "kept = bytearray(200 << 20)");
  const memory = page.getByLabel("Memory", { exact: false }).first();
  await memory.fill("900G");
  await page.getByRole("button", { name: "Run", exact: true }).and(page.locator(":disabled")).waitFor();
  await memory.fill("64M");
  await run(page).click();
  await page.locator(".run-says", { hasText: /memory/i }).waitFor();
  const job = await as("ada").job(await jobOf(page));
  assert.equal(job.limits.memory_bytes, 64 << 20);
  assert.equal(job.outcome.kind, "limit_hit");
});

visiting("a job is taken back into the editor with its limits, and run again", { key: "ada" }, async (visit) => {
  const { page } = visit;
  const job = await as("ada").run("import sys\nprint('first run', sys.argv[1:])", { args: ["a b", "c"], limits: { wall: "7s" } });
  await visit.go(`/jobs/${job.id}`);
  await page.getByRole("link", { name: "Run again with changes" }).click();
  await page.locator(".cm-content", { hasText: "first run" }).waitFor();
  await run(page).click();
  await log(page).getByText("first run ['a b', 'c']").waitFor();
  const again = await as("ada").job(await jobOf(page));
  assert.notEqual(again.id, job.id);
  assert.equal(again.limits.wall_ms, 7000);
});
