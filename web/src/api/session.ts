// Who is signed in. `undefined` is "not asked yet", `null` is "nobody".
import { signal } from "@preact/signals";
import type { Sees, Session } from "./v1.ts";

export const session = signal<Session | null | undefined>(undefined);

/** Why the last session is over, for the page where one signs in. */
export const sessionEnded = signal<string | undefined>(undefined);

type Role = "owner" | "operator" | "submitter" | "viewer" | "auditor";

/** Whether the last session was ended by who had it: they leave nothing behind. Who is timed out goes on afterwards. */
export const signedOut = signal(false);

/** Whether the signed-in user holds one of these roles, anywhere or in that project. It decides only what is offered: the
 * server decides what is done. */
export function holds(roles: readonly Role[], project?: string): boolean {
  const held = session.value?.who.roles ?? [];
  return held.some(
    (one) => roles.some((role) => role === one.role) && (project === undefined || one.project == null || one.project === project || one.project_name === project),
  );
}

const NOTHING: Sees = { keys: false, users: false, projects: false, usage: false, members: false, members_of: [] };

/** Which lists may be read, as the server decided: to ask for others is to be refused, and that is in its log. */
export const sees = (): Sees => session.value?.sees ?? NOTHING;

/** Whether it makes sense to offer submitting a job. */
export const maySubmit = (project?: string): boolean => inScope("jobs:write") && holds(["owner", "operator", "submitter"], project);

/** Whether the key has a scope; a key with `*` has all. */
export function inScope(scope: string): boolean {
  const scopes = session.value?.who.key.scopes ?? [];
  return scopes.includes("*") || scopes.includes(scope);
}
