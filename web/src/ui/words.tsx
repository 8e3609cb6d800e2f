import { safe } from "./text.ts";

/** A sentence of the server's, in which commands stand between backquotes: they become code, the rest is text. */
export function Words({ text, most = 2000 }: { text: string | null | undefined; most?: number }) {
  const parts = safe(text, most).split("`");
  // An odd one at the end has no partner: it is a character like others.
  return <>{parts.map((part, at) => (at % 2 === 1 && at < parts.length - 1 ? <code key={at}>{part}</code> : at % 2 === 1 ? `\`${part}` : part))}</>;
}
