// Runs src/test/*.test.ts by node's own runner, after esbuild has taken their types away.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const out = mkdtempSync(join(tmpdir(), "gambeson-console-test-"));
try {
  const tests = readdirSync(new URL("src/test/", import.meta.url)).filter((name) => name.endsWith(".test.ts"));
  await build({
    absWorkingDir: new URL(".", import.meta.url).pathname,
    entryPoints: tests.map((name) => `src/test/${name}`),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    jsx: "automatic",
    jsxImportSource: "preact",
  });
  const ran = spawnSync(process.execPath, ["--test", ...tests.map((name) => join(out, name.replace(/\.ts$/, ".mjs")))], { stdio: "inherit" });
  process.exitCode = ran.status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
