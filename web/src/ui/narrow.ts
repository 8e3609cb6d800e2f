import { signal } from "@preact/signals";

// The same width at which layout.css turns the menu into a drawer.
const query = matchMedia("(max-width: 760px)");
const narrow = signal(query.matches);
query.addEventListener("change", (event) => (narrow.value = event.matches));

/** Whether the window is as narrow as a phone. */
export const useNarrow = (): boolean => narrow.value;
