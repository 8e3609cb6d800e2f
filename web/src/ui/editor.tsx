// The editor of Python. CodeMirror comes in a chunk of its own, when the first editor is shown.
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { EditorHandle, Mark } from "./editor-core.ts";
import { asProblem, type Problem } from "../api/problem.ts";
import { Failed, Loading } from "./state.tsx";

export type { EditorHandle, Mark };

export type EditorProps = {
  /** The text at first. A changed value replaces what is there. */
  value: string;
  label: string;
  readOnly?: boolean;
  /** What is remarked, at its place. */
  marks?: readonly Mark[];
  /** Whether each mark's words stand below its line too, and not only in its tooltip. */
  notes?: boolean;
  onChange?: (text: string) => void;
  /** Called on Ctrl-Enter. */
  onRun?: () => void;
  /** For moving to a line from outside. */
  handle?: (handle: EditorHandle | undefined) => void;
  /** Whether it is Python; other files are shown plain. */
  python?: boolean;
};

export function Editor({ value, label, readOnly = false, marks = [], notes = false, onChange, onRun, handle, python = true }: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorHandle>(undefined);
  const problem = useSignal<Problem | undefined>(undefined);
  const ready = useSignal(false);
  const latest = useRef({ value, marks, onChange, onRun });
  latest.current = { value, marks, onChange, onRun };
  // What was typed here and has not come back as `value`: it comes back late, and must not undo what was typed since.
  const told = useRef<string[]>([]);

  useEffect(() => {
    let gone = false;
    import("./editor-core.ts").then(
      ({ makeEditor }) => {
        if (gone || !host.current) return;
        const made = makeEditor(host.current, {
          value: latest.current.value,
          label,
          readOnly,
          notes,
          python,
          onChange: (text) => {
            told.current.push(text);
            latest.current.onChange?.(text);
          },
          onRun: () => latest.current.onRun?.(),
        });
        editor.current = made;
        made.setMarks(latest.current.marks);
        ready.value = true;
        handle?.(made);
      },
      (thrown: unknown) => !gone && (problem.value = asProblem(thrown)),
    );
    return () => {
      gone = true;
      handle?.(undefined);
      editor.current?.destroy();
      editor.current = undefined;
    };
  }, [label, readOnly, notes, python]);
  useEffect(() => {
    const at = told.current.indexOf(value);
    if (at < 0) editor.current?.setText(value);
    else told.current.splice(0, at + 1);
  }, [value]);
  useEffect(() => editor.current?.setMarks(marks), [marks]);

  if (problem.value) return <Failed problem={problem.value} />;
  return (
    <div class="editor">
      {!ready.value && <Loading label="Loading the editor" />}
      <div class="editor-host" ref={host} />
    </div>
  );
}
