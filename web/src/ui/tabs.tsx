// Tabs: arrow keys move, as the pattern of WAI-ARIA has it.
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

export type Tab = { id: string; label: ComponentChildren; count?: number | undefined };

export function Tabs({ tabs, at, onMove, label, children }: { tabs: readonly Tab[]; at: string; onMove: (id: string) => void; label: string; children: ComponentChildren }) {
  const base = useId();
  const list = useRef<HTMLDivElement>(null);
  // On a phone, not all have room.
  useLayoutEffect(() => {
    const row = list.current;
    const tab = row?.querySelector<HTMLElement>("[aria-selected=true]");
    if (!row || !tab) return;
    const left = tab.offsetLeft - row.offsetLeft;
    if (left < row.scrollLeft || left + tab.offsetWidth > row.scrollLeft + row.clientWidth) row.scrollLeft = left - 24;
  }, [at]);
  const move = (event: KeyboardEvent) => {
    const here = tabs.findIndex((tab) => tab.id === at);
    const last = tabs.length - 1;
    const next = { ArrowRight: here === last ? 0 : here + 1, ArrowLeft: here <= 0 ? last : here - 1, Home: 0, End: last }[event.key];
    const tab = next === undefined ? undefined : tabs[next];
    if (next === undefined || !tab) return;
    event.preventDefault();
    onMove(tab.id);
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
  };
  return (
    <div class="tabs">
      <div class="tab-list" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${base}-${tab.id}-tab`}
            aria-selected={tab.id === at}
            aria-controls={tab.id === at ? `${base}-panel` : undefined}
            tabIndex={tab.id === at ? 0 : -1}
            onClick={() => onMove(tab.id)}
          >
            {tab.label}
            {tab.count !== undefined && tab.count > 0 && <span class="tab-count">{tab.count}</span>}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${base}-panel`} aria-labelledby={`${base}-${at}-tab`} class="tab-panel">
        {children}
      </div>
    </div>
  );
}
