// Tables of few rows. On a phone each row becomes a card, its cells below each other with their column's name: the roles are
// written out, since what is no longer shown as a table is else no longer read as one.
import type { ComponentChildren } from "preact";

/** A cell that is `null` says nothing; on a phone it is left out. */
export type Cells<T> = { title: string; cell: (row: T) => ComponentChildren; number?: boolean; width?: string };

export function Rows<T>({ label, columns, rows, keyOf, lit }: { label: string; columns: readonly Cells<T>[]; rows: readonly T[]; keyOf: (row: T) => string; lit?: (row: T) => boolean }) {
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label={label}>
      <table class="table stack" role="table" aria-label={label}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column, at) => (
              <th key={at} scope="col" role="columnheader" class={column.number ? "number" : ""} style={column.width ? { width: column.width } : {}}>
                {column.title === "" ? <span class="heard">What can be done</span> : column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={keyOf(row)} role="row" class={lit?.(row) ? "lit" : ""}>
              {columns.map((column, at) => {
                const cell = column.cell(row);
                return (
                  <td key={at} role="cell" data-title={column.title} class={`${column.number ? "number" : ""}${cell === null ? " none" : ""}`}>
                    <div>{cell ?? <span class="faint">–</span>}</div>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A part of a whole as a bar, with its words. */
export function Part({ used, most, words, label }: { used: number; most: number; words: string; label: string }) {
  const part = most > 0 ? Math.min(1, used / most) : 0;
  const near = part >= 0.98 ? " full" : part >= 0.8 ? " near" : "";
  return (
    <div class={`part${near}`}>
      <span class="part-words">{words}</span>
      <div class="bar-track" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={1} aria-valuenow={Number(part.toFixed(3))} aria-valuetext={words}>
        <div class="bar-fill" style={{ width: `${(part * 100).toFixed(1)}%` }} />
      </div>
    </div>
  );
}
