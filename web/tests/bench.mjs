// Measures the console in a browser for `cargo xtask bench console`; the last line is what was found, as JSON.
//
// node tests/bench.mjs JOBS VISITS
import { readFileSync } from "node:fs";
import { chromium, launch } from "./chromium.mjs";
import { populate } from "./people.mjs";
import { binary, client, start, until } from "./platform.mjs";

const [jobs = 100_000, visits = 21] = process.argv.slice(2).map(Number);
const ARRAY_MOST = 10_000;
const LOADED_WITHIN = 15 * 60_000;

const manifest = JSON.parse(readFileSync(new URL("../dist/manifest.json", import.meta.url), "utf8"));
const gzipped = new Map(manifest.files.map((file) => [`/console/${file.path}`, file.gzip]));

const platform = await start({ "server.rate_per_key": 100_000, "server.rate_burst": 100_000 });
const server = await launch(chromium());
try {
  const world = await populate(platform);
  process.env.GAMBESON_CONSOLE_WORLD = JSON.stringify(world);
  process.env.GAMBESON_CONSOLE_BROWSER = server.wsEndpoint();
  const { arrive } = await import("./visit.mjs");
  const owner = client(world.url, world.keys.owner);

  // The first paint of the overview, each time with nothing in the cache, on a platform where a few jobs ended.
  for (let number = 0; number < 5; number++) await owner.run("print(1)");
  const paints = [];
  let scripts = [];
  for (let number = 0; number < visits; number++) {
    const visit = await arrive({ key: "owner" });
    await visit.page.addInitScript(() => new PerformanceObserver((list) => (window.largest = list.getEntries().at(-1).startTime)).observe({ type: "largest-contentful-paint", buffered: true }));
    await visit.go("/");
    await visit.page.getByRole("heading", { name: "Wants attention" }).or(visit.page.getByText("attention").first()).first().waitFor();
    const seen = await visit.page.evaluate(() => ({
      first: performance.getEntriesByName("first-contentful-paint")[0].startTime,
      largest: window.largest,
      scripts: performance.getEntriesByType("resource").map((one) => new URL(one.name).pathname).filter((path) => path.endsWith(".js")),
    }));
    paints.push(seen);
    scripts = seen.scripts;
    visit.over = true;
    await visit.context.close();
  }

  // Many jobs, that nobody takes.
  const { workers } = await owner("GET", "/v1/workers");
  for (const worker of workers) await owner("POST", `/v1/workers/${worker.id}/drain`);
  const quota = { running: 64, queued: jobs + 1000, cpu_ms_per_day: Number.MAX_SAFE_INTEGER, stored_bytes: 2 ** 40 };
  await owner("PATCH", "/v1/projects/lab", { quota, user_quota: quota });
  for (let left = jobs; left > 0; left -= ARRAY_MOST) {
    await owner("POST", "/v1/jobs", { project: "lab", files: { "main.py": "print(1)" }, array: Math.min(left, ARRAY_MOST), labels: { bench: "console" } });
  }

  const visit = await arrive({ key: "owner" });
  const { page } = visit;
  await page.addInitScript(() => {
    window.long = [];
    new PerformanceObserver((list) => window.long.push(...list.getEntries().map(({ startTime, duration }) => ({ startTime, duration })))).observe({ type: "longtask", buffered: true });
  });
  const taken = async () => {
    // What was observed is told in a task of its own.
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
    const tasks = await page.evaluate(() => window.long.splice(0));
    return { long: tasks.length, longest: Math.round(Math.max(0, ...tasks.map((task) => task.duration))) };
  };
  await visit.go("/jobs");
  await page.locator(".vtable-scroll").waitFor();
  const opened = await taken();
  // To the end, again and again, until all of them are loaded.
  const began = Date.now();
  await until(
    "all jobs are loaded",
    () =>
      page.evaluate(() => {
        const scroller = document.querySelector(".vtable-scroll");
        scroller.scrollTop = scroller.scrollHeight;
        return document.querySelector(".vtable-foot")?.textContent === "That was all.";
      }),
    LOADED_WITHIN,
  );
  const seconds = (Date.now() - began) / 1000;
  const loaded = await taken();
  const rows = Number(await page.locator("[role=table]").getAttribute("aria-rowcount")) - 1;
  // By the wheel from the top, then by the bar from place to place; five times, since what happens seldom counts as well.
  const box = await page.locator(".vtable-scroll").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const rounds = { wheel: [], bar: [] };
  for (let round = 0; round < 5; round++) {
    await page.evaluate(() => (document.querySelector(".vtable-scroll").scrollTop = 0));
    await taken();
    for (let turn = 0; turn < 200; turn++) await page.mouse.wheel(0, 600);
    rounds.wheel.push(await taken());
    await page.evaluate(async () => {
      const scroller = document.querySelector(".vtable-scroll");
      for (let place = 0; place < 200; place++) {
        scroller.scrollTop = scroller.scrollHeight * ((place * 0.618) % 1);
        await new Promise(requestAnimationFrame);
      }
    });
    rounds.bar.push(await taken());
  }
  const all = (tasks) => ({ long: tasks.reduce((sum, one) => sum + one.long, 0), longest: Math.max(...tasks.map((one) => one.longest)) });
  const wheel = all(rounds.wheel);
  const bar = all(rounds.bar);
  const elements = await page.evaluate(() => document.querySelectorAll("*").length);
  visit.over = true;
  await visit.context.close();

  console.log(JSON.stringify({
    binary,
    visits,
    first: paints.map((one) => one.first),
    largest: paints.map((one) => one.largest),
    scripts_all: manifest.scripts_gzip_bytes,
    scripts_overview: scripts.reduce((sum, path) => sum + (gzipped.get(path) ?? 0), 0),
    rows,
    seconds,
    elements,
    opened,
    loaded,
    wheel,
    bar,
    faults: visit.faults,
  }));
} finally {
  await server.close();
  await platform.stop();
}
process.exit();
