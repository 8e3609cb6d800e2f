import type { ComponentChildren } from "preact";

/** A place that scrolls by itself, and can be scrolled by the keyboard. */
export function Scroll({ label, children, className = "scrolls" }: { label: string; children: ComponentChildren; className?: string }) {
  return (
    <div class={className} tabIndex={0} role="region" aria-label={label}>
      {children}
    </div>
  );
}
