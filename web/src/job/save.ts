// Gives the reader a file.
import { request } from "../api/client.ts";
import { EventReader } from "../api/sse.ts";
import type { Event as JobEvent, OutputStream } from "../api/v1.ts";
import { bytesOf } from "../log/log.ts";

function save(parts: BlobPart[], name: string): void {
  const address = URL.createObjectURL(new Blob(parts, { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** The output of a job, byte by byte as it was written. */
export async function saveOutput(id: string, stream: OutputStream | "both"): Promise<void> {
  const response = await request("GET", `/v1/jobs/${encodeURIComponent(id)}/events?follow=false`, { headers: { Accept: "text/event-stream" } });
  const body = response.body?.getReader();
  if (!body) return;
  const decoder = new TextDecoder();
  const reader = new EventReader();
  const parts: BlobPart[] = [];
  for (;;) {
    const { done, value } = await body.read();
    if (done) break;
    for (const said of reader.push(decoder.decode(value, { stream: true }))) {
      if (said.event !== "output") continue;
      const event = JSON.parse(said.data) as JobEvent;
      if (event.type === "output" && (stream === "both" || event.stream === stream)) parts.push(bytesOf(event.data) as Uint8Array<ArrayBuffer>);
    }
  }
  save(parts, `${id}.${stream === "both" ? "output" : stream}.txt`);
}
