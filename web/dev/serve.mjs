// See README.md: serves dist/ below /console/ and forwards the rest to a real server. Never shipped.
import { createReadStream, existsSync } from "node:fs";
import { createServer, request } from "node:http";
import { extname, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const [server = "http://127.0.0.1:7373", port = "8080"] = process.argv.slice(2);
const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const KINDS = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
// As strict as the server will be, so that what it forbids is noticed here.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; font-src 'self'; frame-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

let key = process.env.GAMBESON_KEY ?? null;
const target = new URL(server);
const fake = process.env.GAMBESON_FAKE_SESSION !== "0";

function forward(incoming, outgoing, path = incoming.url) {
  const headers = { ...incoming.headers, host: target.host };
  if (fake && key) headers.authorization = `Bearer ${key}`;
  if (fake) {
    delete headers.cookie;
    delete headers["x-csrf-token"];
  }
  const asked = request({ host: target.hostname, port: target.port, method: incoming.method, path, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode, answer.headers);
    answer.pipe(outgoing);
  });
  asked.on("error", () => outgoing.headersSent || outgoing.writeHead(502).end());
  outgoing.on("close", () => asked.destroy());
  incoming.pipe(asked);
}

const answerJson = (outgoing, status, body) => outgoing.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));

async function session(incoming, outgoing) {
  if (incoming.method === "DELETE") {
    key = null;
    return outgoing.writeHead(204).end();
  }
  let asked = key;
  if (incoming.method === "POST") {
    let body = "";
    for await (const piece of incoming) body += piece;
    asked = JSON.parse(body).key;
  }
  const answer = await fetch(new URL("/v1/whoami", target), { headers: asked ? { authorization: `Bearer ${asked}` } : {} });
  const who = await answer.json();
  if (!answer.ok) return answerJson(outgoing, answer.status, who);
  key = asked;
  const sees = { keys: true, users: true, projects: true, usage: true, members: true, members_of: [] };
  answerJson(outgoing, incoming.method === "POST" ? 201 : 200, { who, csrf: "none", expires_at: new Date(Date.now() + 3.6e6).toISOString(), sees });
}

createServer((incoming, outgoing) => {
  const path = new URL(incoming.url, "http://x").pathname;
  if (fake && path === "/v1/session") return void session(incoming, outgoing).catch(() => outgoing.writeHead(502).end());
  if (path !== "/" && !path.startsWith("/console")) return forward(incoming, outgoing);
  if (path === "/") return outgoing.writeHead(302, { location: "/console/" }).end();
  const name = normalize(path.slice("/console".length)).replace(/^\/+/, "");
  const file = name !== "" && extname(name) && existsSync(dist + name) ? name : "index.html";
  outgoing.writeHead(200, { "content-type": KINDS[extname(file)] ?? "application/octet-stream", "content-security-policy": POLICY, "x-content-type-options": "nosniff" });
  createReadStream(dist + file).pipe(outgoing);
}).listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${port}/console/ before ${server}`));
