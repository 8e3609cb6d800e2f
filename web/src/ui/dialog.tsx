// Dialogs: the browser's own, which keeps the focus inside and gives it back.
import type { ComponentChildren } from "preact";
import { useSignal } from "@preact/signals";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { asProblem, type Problem } from "../api/problem.ts";
import { Icon } from "./icon.tsx";
import { Refused } from "./state.tsx";

export function Dialog({ title, onClose, children, wide }: { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean }) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      class={wide ? "dialog wide" : "dialog"}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === element.current) onClose();
      }}
    >
      <div class="dialog-inside">
        <div class="dialog-head">
          <h2 id={id}>{title}</h2>
          <button type="button" class="button quiet icon-only" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}

export type ConfirmProps = {
  title: string;
  children: ComponentChildren;
  /** The word on the button that does it. */
  act: string;
  danger?: boolean;
  onClose: () => void;
  /** Does it; the dialog closes when that has succeeded, and shows the problem otherwise. */
  carryOut: () => Promise<unknown>;
};

/** Asks before something is done that cannot be undone. */
export function Confirm({ title, children, act, danger, onClose, carryOut }: ConfirmProps) {
  const busy = useSignal(false);
  const problem = useSignal<Problem | undefined>(undefined);
  const run = async () => {
    busy.value = true;
    problem.value = undefined;
    try {
      await carryOut();
      onClose();
    } catch (thrown) {
      problem.value = asProblem(thrown);
      busy.value = false;
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="dialog-body">{children}</div>
      {problem.value && <Refused problem={problem.value} />}
      <div class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>
          Leave it
        </button>
        <button type="button" class={danger ? "button danger" : "button primary"} disabled={busy.value} onClick={() => void run()}>
          {act}
        </button>
      </div>
    </Dialog>
  );
}
