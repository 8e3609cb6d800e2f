// Builds dist/: index.html, and under assets/ what it needs, named by content and compressed beforehand. Fails when all
// JavaScript together is more than visitors should have to load.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import "./types.mjs";

const SCRIPTS_MOST = 250_000; // bytes, gzipped, all of them
const here = new URL(".", import.meta.url);
const dist = new URL("dist/", here);
const production = !process.argv.includes("--dev");

rmSync(dist, { recursive: true, force: true });
mkdirSync(new URL("assets/", dist), { recursive: true });
// The directory stays in the repository: cargo looks at it, and would take what is missing for what changed.
writeFileSync(new URL(".gitignore", dist), "*\n!.gitignore\n");

const result = await build({
  absWorkingDir: here.pathname,
  entryPoints: { console: "src/main.tsx" },
  outdir: "dist/assets",
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["chrome123", "firefox121", "safari17.5"],
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".svg": "file" },
  publicPath: "/console/assets",
  minify: production,
  sourcemap: false,
  metafile: true,
  legalComments: "none",
  charset: "utf8",
});

const outputs = Object.entries(result.metafile.outputs);
const named = (path) => path.replace(/^dist\//, "");
const [scriptPath, script] = outputs.find(([, output]) => output.entryPoint === "src/main.tsx");

// The icon is named by its content as well; index.html is the only file whose name stays.
const icon = readFileSync(new URL("src/icon.svg", here));
const iconName = `assets/icon-${createHash("sha256").update(icon).digest("hex").slice(0, 8).toUpperCase()}.svg`;
writeFileSync(new URL(iconName, dist), icon);

// What the first script imports statically is fetched beside it and not after it.
const preloads = script.imports.filter((one) => one.kind === "import-statement").map((one) => named(one.path));
const html = readFileSync(new URL("src/index.html", here), "utf8")
  .replace("%ICON%", `/console/${iconName}`)
  .replace("%STYLE%", `/console/${named(script.cssBundle)}`)
  .replace("%SCRIPT%", `/console/${named(scriptPath)}`)
  .replace("%PRELOADS%", preloads.map((name) => `<link rel="modulepreload" href="/console/${name}">`).join("\n"));
writeFileSync(new URL("index.html", dist), html);

const files = [];
let scripts = 0;
for (const name of ["index.html", ...readdirSync(new URL("assets/", dist)).map((one) => `assets/${one}`)].sort()) {
  const content = readFileSync(new URL(name, dist));
  const gzipped = gzipSync(content, { level: 9 });
  const brotli = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length } });
  writeFileSync(new URL(`${name}.gz`, dist), gzipped);
  writeFileSync(new URL(`${name}.br`, dist), brotli);
  if (name.endsWith(".js")) scripts += gzipped.length;
  files.push({ path: name, bytes: content.length, gzip: gzipped.length, br: brotli.length, sha256: createHash("sha256").update(content).digest("hex") });
}
writeFileSync(new URL("manifest.json", dist), `${JSON.stringify({ scripts_gzip_bytes: scripts, files }, null, 1)}\n`);

for (const file of files) console.log(`${String(file.bytes).padStart(8)} ${String(file.gzip).padStart(7)} gz  ${file.path}`);
console.log(`JavaScript: ${scripts} bytes gzipped, of at most ${SCRIPTS_MOST}`);
if (production && scripts > SCRIPTS_MOST) {
  console.error("That is too much JavaScript.");
  process.exit(1);
}
