// Words for those who hear the page: put into a live region, one at a time.
import { signal } from "@preact/signals";

const words = signal("");

export function announce(text: string): void {
  // The same words twice are said twice only if they differ in between.
  words.value = words.peek() === text ? `${text}\u00a0` : text;
}

export function Announcer() {
  return (
    <div class="heard" role="status" aria-live="polite">
      {words.value}
    </div>
  );
}
