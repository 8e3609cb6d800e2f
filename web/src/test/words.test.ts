import assert from "node:assert/strict";
import { test } from "node:test";
import { address } from "../api/client.ts";
import { problemOf } from "../api/problem.ts";
import { rates } from "../job/series.ts";
import { changed, fits, listed, merged, says, type Filter } from "../job/store.ts";
import { denialSays } from "../job/words.ts";
import type { Denial, Job } from "../api/v1.ts";
import { lookOfLayer } from "../ui/badge.tsx";
import { bytes, counted, duration, percent, relative, shortId } from "../ui/format.ts";
import { previewOf, rasterType } from "../ui/preview.tsx";
import { safe, safeLines } from "../ui/text.ts";
import { windowOf } from "../ui/virtual.tsx";

test("sizes have three digits at most and a unit", () => {
  assert.deepEqual([0, 999, 1024, 1536, 10 << 20, 1023.9 * 1024, 3 * 2 ** 40].map(bytes), ["0 B", "999 B", "1 KiB", "1.5 KiB", "10 MiB", "1 MiB", "3 TiB"]);
});

test("durations are as long as they deserve", () => {
  assert.deepEqual([0, 3.5, 340, 1250, 59_990, 200_000, 3_600_000, 7_500_000, 273_600_000].map(duration), ["0 ms", "3.5 ms", "340 ms", "1.25 s", "1 min", "3 min 20 s", "1 h", "2 h 5 min", "3 d 4 h"]);
});

test("other quantities", () => {
  assert.equal(percent(0.004), "<1 %");
  assert.equal(counted(1, "job"), "1 job");
  assert.equal(counted(12_000, "job"), "12,000 jobs");
  assert.equal(relative(0, 65_000), "1 min ago");
  assert.equal(relative(65_000, 0), "in 1 min");
  assert.equal(shortId("job_01a2288301ed7723ae6762ec99dad533"), "99dad533");
});

test("other people's words lose what hides or turns them", () => {
  assert.equal(safe("evil\u202egpj.exe\u0000\n"), "evil⟨202E⟩gpj.exe␀⏎");
  assert.equal(safe("\ud800"), "\ufffd");
  assert.equal(safe("x".repeat(500), 10), `${"x".repeat(10)}…`);
  assert.equal(safe(undefined), "");
  assert.equal(safeLines("a\r\nb\tc\u2066"), "a\nb\tc⟨2066⟩");
});

test("an address has its places filled in and encoded", () => {
  assert.equal(address("/v1/jobs/{id}/artifacts/{path}", { id: "job_1", path: "a/b ?<x>.txt" }), "/v1/jobs/job_1/artifacts/a/b%20%3F%3Cx%3E.txt");
  assert.equal(address("/v1/jobs", undefined, { state: "running", user: undefined, label: "a=b&c" }), "/v1/jobs?state=running&label=a%3Db%26c");
});

test("a problem is a sentence and a remedy", () => {
  const problem = problemOf({ title: "No policy allows this to you", detail: "job.cancel on job_1", status: 403, code: "forbidden", remedy: "Ask an owner." }, 403);
  assert.equal(problem.says, "No policy allows this to you. Job.cancel on job_1.");
  assert.equal(problem.remedy, "Ask an owner.");
  assert.equal(problem.passing, false);
  assert.equal(problemOf(undefined, 503).says, "The server answered with status 503.");
  assert.equal(problemOf(undefined, 503).passing, true);
});

test("a denial says what was tried, why not, and what helps", () => {
  const denial: Denial = { act: "connect", target: "example.org:443", rule: "network", layer: "namespace.net", why: "this job has no network", remedy: "ask for network.allow", count: 3 };
  assert.equal(denialSays(denial), "Connect to example.org:443 was refused: this job has no network (3 times). Ask for network.allow.");
});

test("the window of a list is what stands in view and a little more", () => {
  assert.deepEqual(windowOf(0, 400, 100, 40), { from: 0, until: 18, top: 0, height: 4000 });
  assert.deepEqual(windowOf(2000, 400, 100, 40), { from: 42, until: 68, top: 1680, height: 4000 });
  assert.deepEqual(windowOf(0, 400, 0, 40), { from: 0, until: 0, top: 0, height: 0 });
});

test("a list that is taller than a browser can make an element shows its last row at the end", () => {
  const { until, height, top, from } = windowOf(8_000_000 - 400, 400, 1_000_000, 40);
  assert.equal(height, 8_000_000);
  assert.equal(until, 1_000_000);
  assert.equal(Math.round(top + (until - from) * 40), 8_000_000);
});

test("what is an image is told by its first bytes, and SVG is none", () => {
  assert.equal(rasterType(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])), "image/png");
  assert.equal(rasterType(new TextEncoder().encode("<svg onload=alert(1)>")), undefined);
  assert.equal(rasterType(new TextEncoder().encode("<html>")), undefined);
  assert.equal(previewOf("out/a.svg", 10), "text");
  assert.equal(previewOf("a.PNG", 10), "image");
  assert.equal(previewOf("a.png", 1 << 30), undefined);
  assert.equal(previewOf("png", 10), undefined);
});

const job = (id: string, more: Partial<Job> = {}) => ({ id, state: "running", project_name: "lab", project: "prj_1", user: "usr_1", user_name: "ada", entry: "main.py", labels: {}, limits: { memory_bytes: 1 << 28 }, ...more }) as Job;
const NO_FILTER: Filter = { state: undefined, project: undefined, user: undefined, label: undefined, array: undefined };

test("a filter is decided here as the server decides it", () => {
  const one = job("job_1", { labels: { course: "cs101" } });
  assert.ok(fits(one, NO_FILTER));
  assert.ok(fits(one, { ...NO_FILTER, label: "course" }));
  assert.ok(fits(one, { ...NO_FILTER, label: "course=cs101" }));
  assert.ok(!fits(one, { ...NO_FILTER, label: "course=cs102" }));
  assert.ok(!fits(one, { ...NO_FILTER, state: "ended" }));
  assert.ok(fits(one, { ...NO_FILTER, project: "prj_1" }));
  assert.ok(says(listed(one), "CS101 main"));
  assert.ok(!says(listed(one), "cs102"));
});

test("changes move into a list where they belong", () => {
  const list = [job("job_5"), job("job_3"), job("job_2")].map(listed);
  const fresh = new Map([job("job_6"), job("job_3", { state: "ended" }), job("job_1")].map((one) => [one.id, one]));
  const ids = (jobs: { id: string }[]) => jobs.map((one) => one.id);
  // An older one than all that were loaded is on a page that is yet to come.
  assert.deepEqual(ids(changed(list, fresh, NO_FILTER, false)), ["job_6", "job_5", "job_3", "job_2"]);
  assert.deepEqual(ids(changed(list, fresh, NO_FILTER, true)), ["job_6", "job_5", "job_3", "job_2", "job_1"]);
  assert.deepEqual(ids(changed(list, fresh, { ...NO_FILTER, state: "running" }, false)), ["job_6", "job_5", "job_2"]);
  assert.deepEqual(ids(merged([job("job_4"), job("job_2")].map(listed), list)), ["job_5", "job_4", "job_3", "job_2"]);
});

test("a rate is what a sum grew by in the last second, or since the sample before", () => {
  const samples = [
    { wall_ms: 0, cpu_ms: 0 },
    { wall_ms: 500, cpu_ms: 500 },
    { wall_ms: 1000, cpu_ms: 500 },
    { wall_ms: 1500, cpu_ms: 750 },
    { wall_ms: 11_500, cpu_ms: 1750 },
  ];
  assert.deepEqual(rates(samples, (sample) => sample.cpu_ms), [null, 1, 0.5, 0.25, 0.1]);
});

test("a layer that is missing is a fault, unless only some hosts have it", () => {
  assert.equal(lookOfLayer({ name: "landlock", state: "held" }).tone, "good");
  assert.deepEqual(["landlock", "selinux"].map((name) => lookOfLayer({ name, state: "missing" }).tone), ["bad", "neutral"]);
});
