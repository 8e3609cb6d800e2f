import { useSignal } from "@preact/signals";
import { announce } from "./announce.tsx";
import { Icon } from "./icon.tsx";

/** Copies `text`, and says that it did. */
export function Copy({ text, label = "Copy", words }: { text: string | (() => string); label?: string; words?: string }) {
  const done = useSignal(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === "string" ? text : text());
      done.value = true;
      announce("Copied.");
      setTimeout(() => (done.value = false), 1500);
    } catch {
      announce("The browser did not let it be copied.");
    }
  };
  return (
    <button type="button" class={words ? "button small" : "button quiet icon-only small"} aria-label={words ? undefined : label} title={label} onClick={() => void copy()}>
      <Icon name={done.value ? "check" : "copy"} size={words ? 16 : 14} />
      {words}
    </button>
  );
}
