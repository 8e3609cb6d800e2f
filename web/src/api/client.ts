// Asks the public HTTP interface, and nothing else. The browser's cookie says who asks; what changes something carries the
// session's CSRF token as well.
import { asProblem, Problem, readProblem, unreachable } from "./problem.ts";
import { session, sessionEnded, signedOut } from "./session.ts";
import type { Operations } from "./v1.ts";

export type Operation = keyof Operations;
export type Answer<K extends Operation> = Operations[K]["answer"];
type Needed<Name extends string, T> = T extends undefined ? { [name in Name]?: undefined } : object extends T ? { [name in Name]?: T } : { [name in Name]: T };
type Input<K extends Operation> = Needed<"path", Operations[K]["path"]> & { query?: Operations[K]["query"] } & Needed<"body", Operations[K]["body"]> & {
    signal?: AbortSignal;
    headers?: Record<string, string>;
    /** Ask again after a passing failure although it changes something: only where twice is once. */
    again?: boolean;
  };

const TRIES = 4;
const SESSION = "/v1/session";

/** `/v1/jobs/{id}` with its places filled in and its query appended. A path of an artifact keeps its slashes. What fills a
 * place may come from the address bar: it never leads to another operation. */
export function address(template: string, path?: Record<string, unknown>, query?: Record<string, unknown>): string {
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(path?.[name] ?? "");
    const parts = name === "path" ? value.split("/") : [value];
    // Browsers take these for steps, however they are encoded.
    if (parts.some((part) => part === "." || part === "..")) throw new Problem(404, "not_found", "The address leads nowhere.", "", undefined, undefined);
    return parts.map(encodeURIComponent).join("/");
  });
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== "") parameters.set(name, String(value));
  }
  const asked = parameters.toString();
  return asked === "" ? filled : `${filled}?${asked}`;
}

export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** One request, as it is: a response that is a success, or a thrown {@link Problem}. */
export async function request(method: string, url: string, init: { body?: BodyInit; headers?: Record<string, string>; signal?: AbortSignal } = {}): Promise<Response> {
  const headers: Record<string, string> = { ...init.headers };
  const changes = method !== "GET" && method !== "HEAD";
  const csrf = session.peek()?.csrf;
  if (changes && csrf !== undefined) headers["X-CSRF-Token"] = csrf;
  let response: Response;
  try {
    response = await fetch(url, { ...init, method, headers, credentials: "same-origin", cache: "no-store", redirect: "error" });
  } catch (thrown) {
    if (init.signal?.aborted) throw thrown;
    throw unreachable();
  }
  if (response.ok) return response;
  const problem = await readProblem(response);
  if (session.peek()) {
    if (problem.status === 401 && url === SESSION) {
      sessionEnded.value = "Your session is over.";
      session.value = null;
    } else if (problem.status === 401 || (problem.code === "csrf_failed" && changes)) {
      // It is over, or somebody signed in in another tab and the cookie is theirs now. What was asked for is not repeated: it
      // was meant by another.
      void resume();
    }
  }
  throw problem;
}

/** Carries out an operation: `call("GET /v1/jobs/{id}", { path: { id } })`. */
export async function call<K extends Operation>(operation: K, input: Input<K> = {} as Input<K>): Promise<Answer<K>> {
  const [method = "", template = ""] = operation.split(" ");
  const { path, query, body, signal, headers, again } = input as {
    path?: Record<string, unknown>;
    query?: Record<string, unknown>;
    body?: unknown;
    signal?: AbortSignal;
    headers?: Record<string, string>;
    again?: boolean;
  };
  const url = address(template, path, query);
  const init = {
    ...(signal && { signal }),
    headers: { ...(body !== undefined && { "Content-Type": "application/json" }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
  for (let tried = 1; ; tried++) {
    try {
      const response = await request(method, url, init);
      if (response.status === 204) return undefined as Answer<K>;
      const isJson = /\bjson\b/.test(response.headers.get("content-type") ?? "");
      return (isJson ? await response.json() : await response.text()) as Answer<K>;
    } catch (thrown) {
      if (signal?.aborted) throw thrown;
      const problem = asProblem(thrown);
      const mayRepeat = (method === "GET" || again === true) && problem.passing && tried < TRIES;
      if (!mayRepeat) throw problem;
      await pause(Math.min(problem.retryAfterMs ?? 250 * 2 ** tried, 10_000), signal);
    }
  }
}

/** Signs in; the key is exchanged for a cookie and then forgotten. */
export async function signIn(key: string): Promise<void> {
  const made = await call("POST /v1/session", { body: { key } });
  sessionEnded.value = undefined;
  signedOut.value = false;
  session.value = made;
}

export async function signOut(): Promise<void> {
  try {
    await call("DELETE /v1/session");
  } catch (thrown) {
    if (!(thrown instanceof Problem) || thrown.status !== 401) throw thrown;
  }
  // Who signs out leaves nothing behind, whichever page they are on.
  signedOut.value = true;
  sessionStorage.clear();
  sessionEnded.value = "You signed out.";
  session.value = null;
}

/** Finds out who is signed in; where that fails in passing, it is whoever it was. */
export async function resume(): Promise<void> {
  try {
    session.value = await call("GET /v1/session");
  } catch (thrown) {
    const problem = asProblem(thrown);
    if (problem.status !== 401 && session.peek()) return;
    if (problem.status !== 401) sessionEnded.value = `${problem.says} ${problem.remedy}`;
    session.value = null;
  }
}
