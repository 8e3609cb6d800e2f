// CodeMirror, set up. It lives in a shadow root: there it takes its styles as a constructed sheet, and the page's policy need
// not allow style elements.
import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { pythonLanguage } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, LanguageSupport, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, Prec, RangeSetBuilder, StateEffect, StateField, type Extension } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers, WidgetType, type DecorationSet } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { shown } from "./text.ts";

/** One remark at a place of the text. Lines and columns count from 1; a column counts characters. */
export type Mark = {
  line: number;
  column?: number;
  endLine?: number;
  endColumn?: number;
  severity: "error" | "warning" | "info" | "good";
  /** What it says: the words of others, shown as text. */
  text: string;
  /** Where it comes from: a rule, or `denied`. */
  source?: string;
};

export type EditorHandle = {
  text: () => string;
  setText: (text: string) => void;
  setMarks: (marks: readonly Mark[]) => void;
  /** Shows a line and puts the cursor there. */
  reveal: (line: number) => void;
  focus: () => void;
  destroy: () => void;
};

export type EditorOptions = {
  value: string;
  label: string;
  readOnly: boolean;
  notes: boolean;
  python: boolean;
  onChange: (text: string) => void;
  onRun: () => void;
};

const look = EditorView.theme({
  "&": { height: "100%", color: "var(--text)", backgroundColor: "var(--surface)", fontSize: "13px" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px" },
  ".cm-content": { padding: "8px 0", caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)", borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--faint)", border: "0", borderRight: "1px solid var(--line)" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 8px 0 12px", minWidth: "40px" },
  ".cm-activeLine": { backgroundColor: "light-dark(rgb(40 80 180 / 5%), rgb(140 175 255 / 6%))" },
  ".cm-activeLineGutter": { backgroundColor: "var(--chosen)", color: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "light-dark(#c9d9fb, #2c4476)" },
  ".cm-matchingBracket": { backgroundColor: "var(--chosen) !important", outline: "1px solid var(--accent)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--text)", border: "1px solid var(--line)", borderRadius: "6px", boxShadow: "var(--shadow-high)", maxWidth: "520px" },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--text)", borderColor: "var(--line)" },
  ".cm-panels input, .cm-panels button": { fontSize: "13px" },
  ".cm-textfield": { backgroundColor: "var(--surface)", border: "1px solid var(--line-strong)", borderRadius: "4px" },
  ".cm-button": { backgroundImage: "none", backgroundColor: "var(--raised)", border: "1px solid var(--line)", borderRadius: "4px" },
  ".cm-searchMatch": { backgroundColor: "light-dark(#ffe49a, #6b5512)" },
  ".cm-specialChar": { color: "var(--bad)" },
  ".cm-diagnostic": { padding: "4px 8px", borderLeft: "3px solid var(--line-strong)" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warning)" },
  ".cm-diagnostic-info": { borderLeftColor: "var(--info)" },
  ".cm-lintRange": { backgroundImage: "none", textDecoration: "underline wavy 1.2px", textDecorationSkipInk: "none", textUnderlineOffset: "3px" },
  ".cm-lintRange-error": { textDecorationColor: "var(--bad)" },
  ".cm-lintRange-warning": { textDecorationColor: "var(--warning)" },
  ".cm-lintRange-info": { textDecorationColor: "var(--info)" },
  ".cm-note": { display: "flex", gap: "8px", margin: "0 12px 4px 6px", padding: "2px 8px", borderLeft: "3px solid", borderRadius: "0 4px 4px 0", fontFamily: "var(--sans)", fontSize: "12px", lineHeight: "18px", whiteSpace: "pre-wrap", overflowWrap: "anywhere" },
  ".cm-note-source": { flex: "none", fontWeight: "600" },
  ".cm-note-error": { color: "var(--bad)", backgroundColor: "var(--bad-ground)" },
  ".cm-note-warning": { color: "var(--warning)", backgroundColor: "var(--warning-ground)" },
  ".cm-note-info": { color: "var(--info)", backgroundColor: "var(--info-ground)" },
  ".cm-note-good": { color: "var(--good)", backgroundColor: "var(--good-ground)" },
});

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword, tags.operatorKeyword, tags.definitionKeyword, tags.moduleKeyword], color: "light-dark(#8b2fa0, #d6a1f2)" },
  { tag: [tags.string, tags.special(tags.string)], color: "light-dark(#0b6b45, #86d6a8)" },
  { tag: [tags.number, tags.bool, tags.null], color: "light-dark(#9a4a00, #f0b56f)" },
  { tag: [tags.comment], color: "var(--faint)", fontStyle: "italic" },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className), tags.className], color: "light-dark(#1f52b0, #92b7ff)", fontWeight: "600" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: "light-dark(#1f52b0, #92b7ff)" },
  { tag: [tags.self, tags.meta], color: "light-dark(#6b5a00, #d9ca7a)" },
]);

class Note extends WidgetType {
  constructor(readonly marks: readonly Mark[]) {
    super();
  }
  override eq(other: Note): boolean {
    return JSON.stringify(other.marks) === JSON.stringify(this.marks);
  }
  override toDOM(): HTMLElement {
    const all = document.createElement("div");
    for (const mark of this.marks) {
      const note = all.appendChild(document.createElement("div"));
      note.className = `cm-note cm-note-${mark.severity}`;
      if (mark.source !== undefined) {
        const source = note.appendChild(document.createElement("span"));
        source.className = "cm-note-source";
        source.textContent = mark.source;
      }
      note.appendChild(document.createElement("span")).textContent = mark.text;
    }
    return all;
  }
}

const setNotes = StateEffect.define<readonly Mark[]>();
const notesField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(notes, transaction) {
    let next = notes.map(transaction.changes);
    for (const effect of transaction.effects) if (effect.is(setNotes)) next = notesOf(transaction.state, effect.value);
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function notesOf(state: EditorState, marks: readonly Mark[]): DecorationSet {
  const lines = new Map<number, Mark[]>();
  for (const mark of marks) {
    if (mark.line < 1 || mark.line > state.doc.lines) continue;
    const there = lines.get(mark.line);
    if (there) there.push(mark);
    else lines.set(mark.line, [mark]);
  }
  const builder = new RangeSetBuilder<Decoration>();
  for (const [line, there] of [...lines].sort(([a], [b]) => a - b)) {
    const at = state.doc.line(line).to;
    builder.add(at, at, Decoration.widget({ widget: new Note(there), block: true, side: 1 }));
  }
  return builder.finish();
}

/** Columns count characters and not UTF-16 units. */
function offset(state: EditorState, line: number, column: number): number {
  const there = state.doc.line(Math.min(Math.max(1, line), state.doc.lines));
  let at = 0;
  let left = column - 1;
  for (const character of there.text) {
    if (left-- <= 0) break;
    at += character.length;
  }
  return there.from + at;
}

function diagnosticOf(state: EditorState, mark: Mark): Diagnostic {
  const line = state.doc.line(Math.min(Math.max(1, mark.line), state.doc.lines));
  const indent = line.text.length - line.text.trimStart().length;
  const from = mark.column === undefined ? line.from + indent : offset(state, mark.line, mark.column);
  const to = mark.endColumn === undefined ? line.to : offset(state, mark.endLine ?? mark.line, mark.endColumn);
  const severity = mark.severity === "good" ? "info" : mark.severity;
  return { from, to: Math.max(from, to), severity, message: mark.text, ...(mark.source !== undefined && { source: mark.source }) };
}

/** Typing over several lines: left to the browser, it would join them with elements that carry a style, which the policy of the
 * page refuses and the console tells of. */
const typesOver = EditorView.domEventHandlers({
  beforeinput: (event, view) => {
    const { from, to } = view.state.selection.main;
    const text = event.data;
    if (event.inputType !== "insertText" || text === null || view.composing || view.state.readOnly || view.state.doc.lineAt(from).to >= to) return false;
    event.preventDefault();
    const insert = () => view.state.update({ changes: { from, to, insert: text }, selection: { anchor: from + text.length }, userEvent: "input.type", scrollIntoView: true });
    if (!view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, text, insert))) view.dispatch(insert());
    return true;
  },
});

export function makeEditor(host: HTMLElement, options: EditorOptions): EditorHandle {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const language = new Compartment();
  let told = true;
  const writing: Extension = options.readOnly
    ? [EditorState.readOnly.of(true)]
    : [
        history(),
        typesOver,
        indentOnInput(),
        closeBrackets(),
        // Before CodeMirror's own meaning of it, a new line.
        Prec.high(keymap.of([{ key: "Mod-Enter", run: () => (options.onRun(), true) }])),
        keymap.of([
          ...closeBracketsKeymap,
          ...historyKeymap,
          // Tab indents; Escape and then Tab leaves the editor, as CodeMirror has it.
          indentWithTab,
        ]),
      ];
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: options.value,
      extensions: [
        lineNumbers(),
        options.notes ? [] : lintGutter(),
        // What is invisible or turns the reading direction is shown by its number.
        highlightSpecialChars({ addSpecialChars: /[\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, render: (code) => hidden(code) }),
        drawSelection(),
        EditorView.lineWrapping,
        bracketMatching(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        highlightSelectionMatches(),
        indentUnit.of("    "),
        syntaxHighlighting(colours),
        // Without its completions, which would be a sixth of the whole console.
        language.of(options.python ? new LanguageSupport(pythonLanguage) : []),
        keymap.of([...defaultKeymap, ...searchKeymap, ...lintKeymap]),
        writing,
        options.notes ? notesField : [],
        EditorView.contentAttributes.of({ "aria-label": options.label, tabindex: "0" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && told) options.onChange(update.state.doc.toString());
        }),
        look,
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    setText: (text) => {
      if (text === view.state.doc.toString()) return;
      told = false;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      told = true;
    },
    setMarks: (marks) => {
      view.dispatch(setDiagnostics(view.state, marks.map((mark) => diagnosticOf(view.state, mark))));
      if (options.notes) view.dispatch({ effects: setNotes.of(marks) });
    },
    reveal: (line) => {
      const there = view.state.doc.line(Math.min(Math.max(1, line), view.state.doc.lines));
      view.dispatch({ selection: { anchor: there.from }, effects: EditorView.scrollIntoView(there.from, { y: "center" }) });
      view.focus();
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

function hidden(code: number): HTMLElement {
  const span = document.createElement("span");
  span.className = "cm-specialChar";
  span.textContent = shown(String.fromCodePoint(code));
  span.title = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  return span;
}
