import type { Denial, Job } from "../api/v1.ts";
import { setQuery } from "../router.ts";
import { Scroll } from "../ui/scroll.tsx";
import { Empty } from "../ui/state.tsx";
import { safe } from "../ui/text.ts";
import { tried, upper, whyNot } from "./words.ts";

/** What was refused to the program, and what its author can do about each. */
export function RefusalsPanel({ job, denials }: { job: Job; denials: readonly Denial[] }) {
  if (denials.length === 0) {
    return (
      <Empty title={job.state === "ended" ? "Nothing was refused" : "Nothing was refused yet"} icon="check">
        What a cell refuses to the program is told here, with the line that led to it.
      </Empty>
    );
  }
  return (
    <Scroll label="Refusals">
      <ul class="refusals">
        {denials.map((denial, at) => (
          <li key={at} class="refusal">
            <div class="refusal-head">
              <b class="break">{safe(upper(tried(denial)))}</b>
              <span class="mono small faint">{safe(denial.layer)}{denial.rule ? ` · ${safe(denial.rule)}` : ""}</span>
              {denial.count > 1 && <span class="faint small">{denial.count} times</span>}
            </div>
            <p class="break">{safe(whyNot(denial), 2000)}</p>
            {denial.file && (
              <p class="refusal-place">
                <button type="button" class="link mono small" onClick={() => setQuery({ tab: "source", file: denial.file ?? undefined, line: denial.line ? String(denial.line) : undefined })}>
                  {safe(denial.file, 120)}
                  {denial.line ? `:${denial.line}` : ""}
                </button>
                {denial.source && <code class="cut">{safe(denial.source, 200)}</code>}
              </p>
            )}
          </li>
        ))}
      </ul>
      <p class="lead">Files, lines and targets are what the program said of itself; nothing was decided by them.</p>
    </Scroll>
  );
}
