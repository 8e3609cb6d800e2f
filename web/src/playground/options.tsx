// With what it runs: arguments, standard input, limits, network, how it starts.
import type { Project } from "../api/v1.ts";
import { LIMITS, limitProblem, sayLimit } from "../ui/limits.ts";
import { safe } from "../ui/text.ts";
import { change, draft, envProblem } from "./draft.ts";
import { readWords } from "./words.ts";

/** How many options are not as they come. */
export function optionsSet(): number {
  const now = draft.value;
  const limits = Object.values(now.limits).filter((text) => text.trim() !== "").length;
  return limits + [now.args !== "", now.stdin !== "", now.env.trim() !== "", now.network !== "none", now.start !== "warm", now.class !== "normal"].filter(Boolean).length;
}

/** What forbids that it is submitted as it is. */
export function optionsProblem(project: Project | undefined): string | undefined {
  const now = draft.value;
  for (const field of LIMITS) {
    const problem = limitProblem(field, now.limits[field.name] ?? "", project?.ceiling);
    if (problem) return `${field.label}: ${problem}`;
  }
  const env = envProblem(now.env);
  if (env) return env;
  if (now.network === "allow" && now.allow.trim() === "") return "Network: name a place such as pypi.org:443, or choose none.";
  return undefined;
}

export function Options({ project }: { project: Project | undefined }) {
  const now = draft.value;
  const words = readWords(now.args);
  const places = project?.network_allow ?? [];
  const entries = Object.keys({ ...now.kept, ...now.files });
  const classes = ["low", "normal", "high"] as const;
  const highest = classes.indexOf(project?.class_most ?? "high");
  return (
    <div class="options">
      <div class="options-pair">
        <label class="field">
          <span>Runs</span>
          <select value={now.entry} onChange={(event) => change({ entry: event.currentTarget.value })}>
            {entries.map((path) => (
              <option key={path} value={path}>
                {safe(path, 80)}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>Starts</span>
          <select value={now.start} onChange={(event) => change({ start: event.currentTarget.value as typeof now.start })}>
            <option value="warm">Warm, from a spare</option>
            <option value="fresh">Fresh, with a layout of its own</option>
            <option value="cold">Cold, from the interpreter's file</option>
          </select>
        </label>
      </div>
      <label class="field">
        <span>Arguments</span>
        <input class="mono" value={now.args} spellcheck={false} autocapitalize="off" placeholder="--number 3 'two words'" onInput={(event) => change({ args: event.currentTarget.value })} />
        {words.length > 0 && (
          <span class="chips" aria-label="Arguments as the program gets them">
            {words.map((word, at) => (
              <code key={at} class="label">
                {word === "" ? "(empty)" : safe(word, 200)}
              </code>
            ))}
          </span>
        )}
      </label>
      <label class="field">
        <span>Standard input</span>
        <textarea class="mono" rows={3} value={now.stdin} spellcheck={false} onInput={(event) => change({ stdin: event.currentTarget.value })} />
      </label>
      <label class="field">
        <span>Environment variables</span>
        <textarea class="mono" rows={2} value={now.env} spellcheck={false} placeholder="NAME=value, one a line" aria-invalid={envProblem(now.env) ? true : undefined} onInput={(event) => change({ env: event.currentTarget.value })} />
        {envProblem(now.env) && <span class="field-problem">{safe(envProblem(now.env))}</span>}
      </label>
      <fieldset>
        <legend>Limits</legend>
        <div class="limits">
          {LIMITS.map((field) => {
            const text = now.limits[field.name] ?? "";
            const most = project?.ceiling[field.of];
            const problem = limitProblem(field, text, project?.ceiling);
            const usual = most === undefined ? field.usual : Math.min(field.usual, most);
            return (
              <label class="field" key={field.name}>
                <span>{field.label}</span>
                <input
                  class="mono"
                  value={text}
                  placeholder={field.example}
                  spellcheck={false}
                  autocapitalize="off"
                  aria-invalid={problem ? true : undefined}
                  onInput={(event) => change({ limits: { ...now.limits, [field.name]: event.currentTarget.value } })}
                />
                <span class={problem ? "field-problem" : "field-hint"}>{problem ?? (most === undefined ? `${sayLimit(field, usual)} as it comes` : `${text === "" ? `${sayLimit(field, usual)}; ` : ""}most ${sayLimit(field, most)}`)}</span>
              </label>
            );
          })}
        </div>
      </fieldset>
      <div class="options-pair">
        <label class="field">
          <span>Network</span>
          <select value={now.network} onChange={(event) => change({ network: event.currentTarget.value as typeof now.network })}>
            <option value="none">None: no socket can be made</option>
            <option value="loopback">Loopback: only to itself</option>
            <option value="allow">Named places, through the worker</option>
          </select>
        </label>
        <label class="field">
          <span>Priority</span>
          <select value={now.class} onChange={(event) => change({ class: event.currentTarget.value as typeof now.class })}>
            {classes.map((one, at) => (
              <option key={one} value={one} disabled={at > highest}>
                {at > highest ? `${one}: not in this project` : one}
              </option>
            ))}
          </select>
        </label>
      </div>
      {now.network === "allow" && (
        <label class="field">
          <span>Places</span>
          <textarea class="mono" rows={2} value={now.allow} spellcheck={false} placeholder="pypi.org:443, one a line" onInput={(event) => change({ allow: event.currentTarget.value })} />
          <span class="field-hint">
            {places.length === 0 ? "The project allows no place; an owner of it can." : `The project allows ${safe(places.slice(0, 8).join(", "), 300)}${places.length > 8 ? " …" : ""}.`}
          </span>
        </label>
      )}
    </div>
  );
}
