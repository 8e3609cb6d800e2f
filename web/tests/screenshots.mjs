// Pictures of every page, light and dark, on a desktop and on a phone, of a platform on which something goes on: `npm run
// screenshots` writes them to screenshots/. Words after it choose some: `npm run screenshots -- queue job-log`.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { chromium, launch } from "./chromium.mjs";
import { withPalette } from "./palette.mjs";
import { paste } from "./paste.mjs";
import { populate } from "./people.mjs";
import { client, start, until } from "./platform.mjs";
import { BUSY, GREEDY, LEAVES, REFUSED, SLEEPS, TALKS } from "./programs.mjs";

const out = new URL("../screenshots/", import.meta.url).pathname;
const asked = process.argv.slice(2);

const platform = await start({ "worker.slots": 4, "worker.cpus": 4, "worker.name": "bench-1" });
const server = await launch(chromium());
try {
  const world = await populate(platform);
  process.env.GAMBESON_CONSOLE_WORLD = JSON.stringify(world);
  process.env.GAMBESON_CONSOLE_BROWSER = server.wsEndpoint();
  const { DESKTOP, PHONE, arrive } = await import("./visit.mjs");
  const ids = await goingsOn(world);
  // Something ends now and then, so that what is drawn over time moves.
  const sam = client(world.url, world.keys.sam);
  let over = false;
  const pulse = (async () => {
    while (!over) {
      await sam.submit("import random, time\ntime.sleep(random.random() / 2)\nraise SystemExit(random.random() < 0.1)", { project: "school", labels: { course: "python-101" } }).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
  })();
  const pages = pagesOf(ids);
  mkdirSync(out, { recursive: true });
  if (asked.length === 0) {
    rmSync(out, { recursive: true });
    mkdirSync(out);
  }
  for (const [kind, size] of [["desktop", DESKTOP], ["phone", PHONE]]) {
    for (const theme of ["light", "dark"]) {
      const visit = await arrive({ theme, size });
      visit.mayFail.push([/\/v1\//, 404]);
      for (const [name, place, act] of pages) {
        if (asked.length > 0 && !asked.some((one) => name.startsWith(one))) continue;
        if (name !== "sign-in" && !visit.session) await visit.signIn(world.keys.owner);
        try {
          await visit.go(place);
          await visit.until("it has loaded", () => !document.querySelector("[aria-busy=true], .loading"));
          await act?.(visit);
          await visit.page.evaluate(() => document.fonts.ready);
          await visit.page.mouse.move(0, 0);
          // Charts are drawn in the frame after their data came.
          await visit.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 400)));
          writeFileSync(`${out}${name}-${kind}-${theme}.png`, withPalette(await visit.page.screenshot()));
        } catch (thrown) {
          visit.faults.push(`${name}: ${thrown.message}`);
        }
      }
      for (const fault of visit.faults) {
        console.error(`${kind}, ${theme}: ${fault}`);
        process.exitCode = 1;
      }
      visit.over = true;
      await visit.context.close();
    }
  }
  over = true;
  await pulse;
} finally {
  await server.close();
  await platform.stop();
}
process.exit();

/** What happened and happens on the platform, by names for the pages that show it. */
async function goingsOn({ url, keys }) {
  const [owner, ada, noor, sam] = ["owner", "ada", "noor", "sam"].map((name) => client(url, keys[name]));
  await owner("PATCH", "/v1/projects/lab", { weight: 3 });
  const refused = await ada.run(REFUSED, { labels: { course: "networks", sheet: "3" } });
  const left = await ada.run({ "plot.py": LEAVES }, { entry: "plot.py", labels: { figure: "7" } });
  await ada.run({ "greedy.py": GREEDY }, { entry: "greedy.py", limits: { memory: "64M" } });
  await ada.run("def half(x):\n    return x / 0\n\nprint(half(8))");
  await noor.run({ "a-program-with-a-rather-long-name-as-generated-by-other-programs-2026-11-29.py": "print(1)" }, { entry: "a-program-with-a-rather-long-name-as-generated-by-other-programs-2026-11-29.py", labels: { origin: "notebook-export-of-the-whole-semester", attempt: "12" } });
  const gone = await ada.submit(SLEEPS);
  await ada("POST", `/v1/jobs/${gone}/cancel`);
  await ada.reaches(gone, "ended");
  await sam("POST", "/v1/jobs", { project: "school", array: 12, labels: { course: "python-101" }, files: { "grade.py": "import os, time\ntime.sleep(0.2)\nprint('grade of', os.environ['GAMBESON_ARRAY_INDEX'])" }, entry: "grade.py" });
  const held = await noor.submit({ "native.py": "import ctypes\nctypes.CDLL(None).syscall(39)" }, { entry: "native.py" });
  await until("the array is done", async () => (await sam("GET", "/v1/queue")).queued <= 1 || (await owner("GET", "/v1/jobs?state=queued")).jobs.length <= 1);
  // What runs: two that hold their places, one that talks, and one that works.
  const talks = await ada.submit({ "train.py": TALKS }, { entry: "train.py", labels: { model: "resnet-9" }, limits: { wall: "30m", cpu: "30m" } });
  const works = await noor.submit({ "simulate.py": BUSY.replace("+ 60", "+ 900") }, { entry: "simulate.py", limits: { wall: "30m", cpu: "30m", memory: "128M" } });
  await ada.submit({ "crawl.py": SLEEPS }, { entry: "crawl.py", limits: { wall: "30m" } });
  for (const id of [talks, works]) await owner.reaches(id, "running");
  // Two more want all that is left, and then more: they wait.
  for (let number = 0; number < 5; number++) await noor.submit({ "batch.py": SLEEPS }, { entry: "batch.py", class: number === 0 ? "high" : "low", limits: { wall: "30m", cpus: "4" }, labels: { night: "2026-11-29" } });
  await until("there are samples", async () => (await owner.job(works)).now);
  return { refused: refused.id, left: left.id, held, talks, works };
}

/** Name, place, and what is done there first. */
function pagesOf(ids) {
  return [
    ["sign-in", "/"],
    ["jobs", "/jobs"],
    ["jobs-none", "/jobs?q=nothing-is-like-this"],
    ["job-log", `/jobs/${ids.talks}`, ({ page }) => page.getByText(/^epoch \d/).first().waitFor()],
    ["job-source", `/jobs/${ids.refused}?tab=source`, ({ page }) => page.locator(".cm-note").first().waitFor()],
    ["job-usage", `/jobs/${ids.works}?tab=usage`, ({ page }) => page.locator(".chart-host canvas").first().waitFor()],
    ["job-refusals", `/jobs/${ids.refused}?tab=refusals`],
    [
      "job-artifacts",
      `/jobs/${ids.left}?tab=artifacts`,
      async (visit) => {
        await visit.page.getByRole("button", { name: "Preview of plot.png" }).click();
        await visit.until("the picture is decoded", () => document.querySelector(".preview img")?.naturalWidth > 0);
      },
    ],
    ["job-layers", `/jobs/${ids.refused}?tab=layers`],
    ["job-timeline", `/jobs/${ids.refused}?tab=timeline`],
    ["job-held", `/jobs/${ids.held}`],
    ["job-not-there", "/jobs/job_00000000000000000000000000000000"],
    ["queue", "/queue"],
    [
      "playground",
      "/playground",
      async ({ page }) => {
        await paste(page, REFUSED);
        await page.getByText("1 remark").waitFor();
      },
    ],
    [
      "playground-ran",
      "/playground",
      async (visit) => {
        const { page } = visit;
        await paste(page, LEAVES);
        await page.getByRole("button", { name: "Run", exact: true }).click();
        await visit.until("the picture is decoded", () => document.querySelector(".run-pictures img")?.naturalWidth > 0);
      },
    ],
    ["workers", "/workers"],
    ["access", "/access"],
    [
      "access-new-key",
      "/access",
      async ({ page }) => {
        await page.getByRole("button", { name: "New key" }).click();
        await page.getByRole("dialog").waitFor();
      },
    ],
    ["access-roles", "/access?tab=roles"],
    ["access-projects", "/access?tab=projects"],
    ["access-usage", "/access?tab=usage"],
    ["audit", "/audit"],
    ["posture", "/posture"],
    ["nowhere", "/nowhere"],
    // Last, when there is something to draw over time.
    ["overview", "/", (visit) => visit.until("there are charts", () => document.querySelectorAll(".chart-host canvas").length >= 3)],
  ];
}
