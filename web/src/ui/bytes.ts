// Bytes as the interface tells them.
import type { Content, FileContent } from "../api/v1.ts";

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** The text of a content; nothing where it is not text. */
export function textOf(content: Content | FileContent): string | undefined {
  if (typeof content === "string") return content;
  return content.text ?? undefined;
}
