// Errors as people read them: what happened, and what to do about it.

/** What the server, or the way to it, said instead of an answer. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    /** What happened, as a sentence. */
    readonly says: string,
    /** What to do about it, as a sentence. */
    readonly remedy: string,
    readonly requestId: string | undefined,
    readonly retryAfterMs: number | undefined,
  ) {
    super(says);
    this.name = "Problem";
  }

  /** Whether the same request may well succeed a little later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || (this.status >= 502 && this.status <= 504);
  }
}

const sentence = (text: string): string => {
  const trimmed = text.trim().replace(/[.\s]+$/, "");
  return trimmed === "" ? "" : `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}.`;
};

/** A failure of the way to the server. */
export function unreachable(): Problem {
  return new Problem(0, "unreachable", "The server did not answer.", "It may be starting again: try again in a moment.", undefined, undefined);
}

/** Reads an answer that is no success. */
export async function readProblem(response: Response): Promise<Problem> {
  const after = Number(response.headers.get("retry-after"));
  const retryAfterMs = response.headers.has("retry-after") && Number.isFinite(after) ? after * 1000 : undefined;
  const request = response.headers.get("x-request-id") ?? undefined;
  let body: unknown;
  try {
    body = await response.json();
  } catch {
    body = undefined;
  }
  return problemOf(body, response.status, request, retryAfterMs);
}

/** What a problem document says; anything else becomes one that says the status. */
export function problemOf(body: unknown, status: number, request?: string, retryAfterMs?: number): Problem {
  const said = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const text = (name: string) => (typeof said[name] === "string" ? said[name] : "");
  const title = sentence(text("title"));
  const detail = sentence(text("detail"));
  const says = [title, detail].filter((part, at, all) => part !== "" && all.indexOf(part) === at).join(" ");
  return new Problem(
    typeof said.status === "number" ? said.status : status,
    text("code") || `http_${status}`,
    says || `The server answered with status ${status}.`,
    sentence(text("remedy")),
    text("request_id") || request,
    retryAfterMs,
  );
}

/** Anything that was thrown, as a problem. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof TypeError && /fetch|network|load/i.test(thrown.message)) return unreachable();
  const says = thrown instanceof Error ? thrown.message : String(thrown);
  return new Problem(-1, "console", `The console failed: ${says}`, "Load the page again; if it stays, tell whoever runs this server.", undefined, undefined);
}
