// The real binary as a platform: a server and a worker on a port and in a directory of their own.
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const here = new URL(".", import.meta.url).pathname;
const PATIENCE = 60_000;

/** The program under test: what GAMBESON_BINARY names, else the debug build. */
export const binary = process.env.GAMBESON_BINARY ?? join(here, "../../target/debug/gambeson");

/** Looks again and again until `look` gives something; what it never became is told. */
export async function until(what, look, patience = PATIENCE) {
  const deadline = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`it never became true that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Starts `gambeson up`; its `key` is the owner's. */
export async function start(settings = {}) {
  if (!existsSync(binary)) throw new Error(`${binary} is not there: cargo build -p gambeson`);
  const directory = mkdtempSync(join(tmpdir(), "gambeson-console-"));
  const data = join(directory, "data");
  mkdirSync(join(data, "policies"), { recursive: true, mode: 0o700 });
  // Native code and decoded payloads wait for somebody's approval.
  copyFileSync(join(here, "hold.cedar"), join(data, "policies/hold.cedar"));
  const all = { "worker.local_slots": 0, "worker.name": "bench-1", "worker.drain": "0s", "server.drain": "0s", ...settings };
  const args = ["up", "--data-dir", data, "--listen", "127.0.0.1:0", ...Object.entries(all).flatMap(([name, value]) => ["--set", `${name}=${value}`])];
  // What the machine's own configuration says is not this platform's.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GAMBESON_")));
  const child = spawn(binary, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  // Whoever is stopped in the middle leaves nothing behind.
  const last = () => child.kill("SIGTERM");
  process.on("exit", last);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
  let said = "";
  child.stderr.on("data", (bytes) => (said = (said + bytes).slice(-20_000)));
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const platform = { url: undefined, key: undefined, child, directory, said: () => said };
  platform.stop = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
    await ended;
    clearTimeout(timer);
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("setup key: ")) platform.key = line.slice("setup key: ".length);
    else if (line.startsWith("listening on http")) platform.url = line.slice("listening on ".length);
    if (platform.url && platform.key) {
      child.stdout.resume();
      return platform;
    }
  }
  throw new Error(`the platform did not start: ${said}`);
}

/** The HTTP interface with a key: `api("POST", "/v1/jobs", body)` gives what was answered, or throws. */
export function client(url, key) {
  const raw = (method, path, body, headers = {}) =>
    fetch(url + path, {
      method,
      headers: { Authorization: `Bearer ${key}`, ...(body !== undefined && !(body instanceof Uint8Array) && { "Content-Type": "application/json" }), ...headers },
      body: body === undefined ? undefined : body instanceof Uint8Array ? body : JSON.stringify(body),
    });
  const api = async (method, path, body) => {
    const response = await raw(method, path, body);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  };
  api.key = key;
  api.raw = raw;
  api.job = (id) => api("GET", `/v1/jobs/${id}`);
  /** Submits a program; the answer is the job's id. */
  api.submit = async (source, more = {}) => {
    const files = typeof source === "string" ? { "main.py": source } : source;
    const accepted = await api("POST", "/v1/jobs", { project: "lab", files, ...more });
    return accepted.id ?? accepted.job?.id;
  };
  api.reaches = (id, state) => until(`${id} is ${state}`, async () => {
    const job = await api.job(id);
    return (job.state === state || job.state === "ended") && job;
  });
  /** Submits it and waits for its end. */
  api.run = async (source, more) => api.reaches(await api.submit(source, more), "ended");
  return api;
}

