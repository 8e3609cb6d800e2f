// Starts what the tests of the console need (a platform, a browser), runs them one after the other, and ends with
// `N passed, N failed, N skipped`. Arguments are names of files here: `node tests/run.mjs hostile`.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { chromium, launch } from "./chromium.mjs";
import { binary, start } from "./platform.mjs";
import { populate } from "./people.mjs";

const here = new URL(".", import.meta.url).pathname;

/** One that takes longer hangs. */
const FILE_MOST = 8 * 60_000;

const found = chromium();
if (!found) {
  console.log("skipped: the console in a browser: there is no Chromium (apt-get install chromium)");
  console.log("0 passed, 0 failed, 1 skipped");
  process.exit(0);
}
const asked = process.argv.slice(2);
const files = readdirSync(here)
  .filter((name) => name.endsWith(".test.mjs") && (asked.length === 0 || asked.some((one) => name.startsWith(one))))
  .sort()
  .map((name) => join(here, name));

console.log(`${binary}, ${found}`);
const platform = await start({ "worker.slots": 4, "worker.cpus": 4 });
const server = await launch(found);
const count = { passed: 0, failed: 0, skipped: 0 };
try {
  const made = await populate(platform);
  process.env.GAMBESON_CONSOLE_WORLD = JSON.stringify(made);
  process.env.GAMBESON_CONSOLE_BROWSER = server.wsEndpoint();
  const tests = run({ files, concurrency: 1, timeout: FILE_MOST });
  tests.on("test:pass", ({ skip, todo }) => (count[skip !== undefined || todo !== undefined ? "skipped" : "passed"] += 1));
  tests.on("test:fail", ({ todo }) => (count[todo !== undefined ? "skipped" : "failed"] += 1));
  const shown = tests.compose(spec);
  for await (const piece of shown) process.stdout.write(piece);
} finally {
  await server.close();
  await platform.stop();
}
if (count.failed > 0 && process.env.GAMBESON_CONSOLE_SAID) console.log(platform.said());
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exit(count.failed > 0 || count.passed === 0 ? 1 : 0);
