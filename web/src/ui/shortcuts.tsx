// Keys: `?` lists them, `g` and a letter go to a page. A page adds its own while it is shown.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { PAGES } from "../pages.ts";
import { go, to } from "../router.ts";
import { Dialog } from "./dialog.tsx";

export type Shortcut = { keys: string; says: string; run: () => void };

const open = signal(false);
const ofPage = signal<readonly Shortcut[]>([]);
let leading = 0;

const writes = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || target.closest("input, textarea, select, [role=textbox], dialog[open]") !== null);

/** Keys that work while the page is shown. `keys` is one key as the browser names it, or several with spaces between. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  useEffect(() => {
    ofPage.value = shortcuts;
    return () => {
      if (ofPage.peek() === shortcuts) ofPage.value = [];
    };
  });
}

export function startShortcuts(): () => void {
  const pressed = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || writes(event.target)) return;
    const led = Date.now() - leading < 1200;
    leading = 0;
    if (led) {
      const page = PAGES.find((one) => one.key === event.key);
      if (page) {
        event.preventDefault();
        go(to(page.pattern));
      }
      return;
    }
    if (event.key === "g") leading = Date.now();
    else if (event.key === "?") open.value = true;
    else {
      const found = ofPage.peek().find((one) => one.keys.split(" ").includes(event.key));
      if (!found) return;
      // Enter and the space bar belong to what has the focus.
      if ((event.key === "Enter" || event.key === " ") && event.target instanceof Element && event.target.closest("a, button, summary, [role=tab]")) return;
      event.preventDefault();
      found.run();
    }
  };
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}

const shownKey: Record<string, string> = { ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc" };

function Keys({ keys, then }: { keys: string; then?: boolean }) {
  return (
    <>
      {keys.split(" ").map((key, at) => (
        <span key={key}>
          {at > 0 && <span class="faint">{then ? " then " : " or "}</span>}
          <kbd>{shownKey[key] ?? key}</kbd>
        </span>
      ))}
    </>
  );
}

export function Shortcuts() {
  if (!open.value) return null;
  return (
    <Dialog title="Keys" onClose={() => (open.value = false)}>
      <dl class="keys">
        {ofPage.value.map((one) => (
          <div key={one.keys}>
            <dt>
              <Keys keys={one.keys} />
            </dt>
            <dd>{one.says}</dd>
          </div>
        ))}
        {PAGES.filter((page) => page.key).map((page) => (
          <div key={page.pattern}>
            <dt>
              <Keys keys={`g ${page.key}`} then />
            </dt>
            <dd>{page.title}</dd>
          </div>
        ))}
        <div>
          <dt>
            <Keys keys="?" />
          </dt>
          <dd>This list</dd>
        </div>
      </dl>
    </Dialog>
  );
}
