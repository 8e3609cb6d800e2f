// One job: its log while it runs, what it uses, its end, what was refused, what it left.
import assert from "node:assert/strict";
import { PHONE, visiting } from "./browser.mjs";
import { BUSY, GREEDY, LEAVES, REFUSED, REFUSED_AT, SLEEPS, TICKS } from "./programs.mjs";
import { as } from "./world.mjs";

/** How many pixels of a canvas have a colour, which neither the text of its axes nor its grid have. */
const coloured = (canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    const [red = 0, green = 0, blue = 0, alpha = 0] = data.subarray(at, at + 4);
    if (alpha > 0 && Math.max(red, green, blue) - Math.min(red, green, blue) > 40) count += 1;
  }
  return count;
};

visiting("the log of a running job grows before one's eyes, in its colours; it is cancelled after a question", { key: "ada" }, async (visit) => {
  const { page } = visit;
  const ada = as("ada");
  const id = await ada.submit(TICKS);
  await visit.go(`/jobs/${id}`);
  const log = page.getByRole("region", { name: "Output of the program" });
  await log.getByText("tick 3", { exact: true }).waitFor();
  const green = log.locator("span.f2", { hasText: "tick" }).first();
  await green.waitFor();
  const last = () => log.locator(".log-text").last().innerText();
  const before = await last();
  await visit.until("a line was added", (before) => [...document.querySelectorAll(".log-text")].at(-1)?.textContent !== before, before);
  await page.getByRole("button", { name: "Cancel" }).click();
  const question = page.getByRole("dialog", { name: "Cancel this job?" });
  await question.getByRole("button", { name: "Leave it" }).click();
  await question.waitFor({ state: "detached" });
  assert.equal((await ada.job(id)).cancel_requested ?? false, false, "a question that is left changes nothing");
  await page.getByRole("button", { name: "Cancel" }).click();
  await question.getByRole("button", { name: "Cancel the job" }).click();
  await question.waitFor({ state: "detached" });
  await page.locator(".page-head").getByText(/cancel/i).first().waitFor();
  const job = await ada.reaches(id, "ended");
  assert.equal(job.outcome.kind, "cancelled");
  await page.locator(".job-sentence").waitFor();
  await page.getByRole("button", { name: "Cancel" }).waitFor({ state: "detached" });
});

visiting("on a phone a long line of the log fills the width, and nothing is wider", { key: "ada", size: PHONE }, async (visit) => {
  const { page } = visit;
  const id = await as("ada").submit('import time\ntime.sleep(2)\nprint("x" * 900)');
  // It is opened before there is a line to measure.
  await visit.go(`/jobs/${id}`);
  const log = page.getByRole("region", { name: "Output of the program" });
  await log.locator(".log-text", { hasText: "xxx" }).nth(1).waitFor();
  const left = await log.evaluate((log) => {
    const text = [...log.querySelectorAll(".log-text")][0];
    const one = text.getBoundingClientRect().width / text.textContent.length;
    return (log.getBoundingClientRect().left + log.clientWidth - text.getBoundingClientRect().right) / one;
  });
  assert.ok(left >= 0 && left < 1.7, `${left} columns are left`);
});

visiting("who scrolls up in a log that grows is left in peace, and who comes back follows it", { key: "ada" }, async (visit) => {
  const { page } = visit;
  const ada = as("ada");
  const id = await ada.submit(`for number in range(2000): print("before", number)\n${TICKS}`);
  await visit.go(`/jobs/${id}`);
  const log = page.getByRole("region", { name: "Output of the program" });
  const follows = page.getByRole("button", { name: "Follow" });
  await log.getByText("tick 2", { exact: true }).waitFor();
  await log.hover();
  await page.mouse.wheel(0, -3000);
  await visit.until("it follows no more", () => document.querySelector("button[title^='Stay at the end']").ariaPressed === "false");
  const top = () => log.evaluate((one) => one.scrollTop);
  const count = () => log.evaluate((one) => one.scrollHeight);
  await visit.until("it stands still", () => new Promise((resolve) => {
    const scroller = document.querySelector(".log-scroll");
    const before = scroller.scrollTop;
    setTimeout(() => resolve(scroller.scrollTop === before), 200);
  }));
  const [place, height] = [await top(), await count()];
  await visit.until("five lines came", (height) => document.querySelector(".log-scroll").scrollHeight >= height + 100, height);
  assert.equal(await top(), place);
  await follows.click();
  await visit.until("it is at the end", () => {
    const { scrollHeight, clientHeight, scrollTop } = document.querySelector(".log-scroll");
    return scrollHeight - clientHeight - scrollTop < 40;
  });
  // A narrower window wraps lines anew; one stays at the end.
  await page.setViewportSize({ width: 500, height: 700 });
  await log.getByText(/^tick/).last().waitFor();
  await page.setViewportSize({ width: 1280, height: 800 });
  await log.getByText(/^tick/).last().waitFor();
  assert.equal(await follows.getAttribute("aria-pressed"), "true");
  await ada("POST", `/v1/jobs/${id}/cancel`);
});

visiting("what a running job uses is drawn", { key: "ada" }, async (visit) => {
  const { page } = visit;
  const ada = as("ada");
  const id = await ada.submit(BUSY);
  await visit.go(`/jobs/${id}?tab=usage`);
  const canvas = page.locator(".chart-host canvas").first();
  await canvas.waitFor();
  const drawn = await canvas.evaluate(coloured);
  assert.ok(drawn > 200, `${drawn} pixels have a colour`);
  const said = () => page.locator(".chart-host").first().getAttribute("aria-label");
  const before = await said();
  await visit.until("the chart goes on", (before) => document.querySelector(".chart-host")?.getAttribute("aria-label") !== before, before);
  await ada("POST", `/v1/jobs/${id}/cancel`);
});

visiting("a refused act is shown at its line, and what was foretold beside what happened", { key: "ada" }, async (visit) => {
  const { page } = visit;
  const job = await as("ada").run(REFUSED);
  await visit.go(`/jobs/${job.id}?tab=source`);
  const note = page.locator(".cm-note-error").first();
  await note.waitFor();
  const line = await note.evaluate((note) => note.closest(".cm-content") && [...note.closest(".cm-content").children].filter((one) => one.classList.contains("cm-line") && one.compareDocumentPosition(note) & Node.DOCUMENT_POSITION_FOLLOWING).length);
  assert.equal(line, REFUSED_AT, "the note stands below the line that was refused");
  assert.match(await note.innerText(), /network/i);
  const advice = page.getByRole("region", { name: "Foretold and happened" });
  await advice.getByText(`main.py:${REFUSED_AT}`).first().waitFor();
  await advice.getByText("happened", { exact: true }).last().waitFor();
  await page.getByRole("tab", { name: /Refusals/ }).click();
  await page.getByText(/this job has no network/i).first().waitFor();
});

visiting("a limit that was hit is named with its number and what to do", { key: "ada" }, async (visit) => {
  const { page } = visit;
  const job = await as("ada").run(GREEDY, { limits: { memory: "64M" } });
  assert.equal(job.outcome.kind, "limit_hit");
  await visit.go(`/jobs/${job.id}`);
  await page.locator(".job-sentence", { hasText: /memory/i }).waitFor();
  await page.locator(".job-sentence", { hasText: "64" }).waitFor();
});

visiting("a picture and a table that a job left are shown, a drawing and a page only as text", { key: "ada" }, async (visit) => {
  const { page } = visit;
  const job = await as("ada").run(LEAVES);
  await visit.go(`/jobs/${job.id}?tab=artifacts`);
  const preview = (name) => page.getByRole("button", { name: `Preview of ${name}` });
  await preview("plot.png").click();
  await visit.until("the picture is decoded", () => document.querySelector(".preview img")?.naturalWidth === 320);
  await preview("table.csv").click();
  await page.getByRole("cell", { name: "row 39" }).waitFor();
  await preview("drawing.svg").click();
  await page.locator("pre.preview", { hasText: "<svg xmlns=" }).waitFor();
  await preview("deep/page.html").click();
  await page.locator("pre.preview", { hasText: "<h1>A page</h1>" }).waitFor();
  assert.equal(await page.locator("main iframe, main object, main embed").count(), 0);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download table.csv" }).click()]);
  assert.equal(download.suggestedFilename(), "table.csv");
  await download.cancel();
});

visiting("a job that waits says why, and one that is held is let go by who may", { key: "noor" }, async (visit) => {
  const { page } = visit;
  const ada = as("ada");
  const id = await ada.submit("import ctypes\nctypes.CDLL(None).syscall(39)\nprint('approved')");
  await visit.go(`/jobs/${id}`);
  await page.getByText(/looked at by a person first/).first().waitFor();
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("dialog", { name: "Let this job run?" }).getByRole("button", { name: "Approve" }).click();
  const job = await ada.reaches(id, "ended");
  assert.equal(job.outcome.kind, "exited");
  await page.locator(".job-sentence").waitFor();
  await page.getByRole("region", { name: "Output of the program" }).getByText("approved").waitFor();
});

visiting("a list of jobs is searched and filtered, and changes by itself", { key: "ada" }, async (visit) => {
  const { page } = visit;
  const ada = as("ada");
  const id = await ada.submit(SLEEPS, { labels: { course: "needle-17" } });
  await ada.run("print(1)", { labels: { course: "hay" } });
  await visit.go("/jobs");
  await page.getByLabel("Search the jobs").fill("needle-17");
  await visit.until("only that job is left", () => document.querySelector("main h1 + .faint")?.textContent === "1 job");
  await page.getByText("Running").last().waitFor();
  await ada("POST", `/v1/jobs/${id}/cancel`);
  await page.getByText(/cancelled/i).first().waitFor();
});
