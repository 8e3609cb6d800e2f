// What openapi/v1.json has not yet. To be deleted once it has it; until then, what is in both is as the document has it.
import type { Time, WhoAmI } from "./v1.ts";

export type Session = { who: WhoAmI; csrf: string; expires_at: Time };

export interface Coming {
  "POST /v1/session": { path: undefined; query: undefined; body: { key: string }; answer: Session };
  "GET /v1/session": { path: undefined; query: undefined; body: undefined; answer: Session };
  "DELETE /v1/session": { path: undefined; query: undefined; body: undefined; answer: undefined };
}
