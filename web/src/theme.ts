// Light, dark, or as the system wants it. Kept in this browser; beside it the console stores only what is being written
// in the playground, in its tab.
import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";
const KEPT = "gambeson.theme";

function kept(): Theme {
  try {
    const found = localStorage.getItem(KEPT);
    return found === "light" || found === "dark" ? found : "system";
  } catch {
    return "system";
  }
}

export const theme = signal<Theme>(kept());
/** Grows with every change of colours, for what is drawn and not styled. */
export const repaint = signal(0);

export function startTheme(): void {
  effect(() => {
    const root = document.documentElement;
    if (theme.value === "system") delete root.dataset.theme;
    else root.dataset.theme = theme.value;
    try {
      if (theme.value === "system") localStorage.removeItem(KEPT);
      else localStorage.setItem(KEPT, theme.value);
    } catch {
      // A browser that keeps nothing still shows what was chosen.
    }
    repaint.value = repaint.peek() + 1;
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (repaint.value = repaint.peek() + 1));
}
