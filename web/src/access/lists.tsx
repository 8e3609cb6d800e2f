// Users and projects to choose from. Who may not list them writes a name, and is not refused.
import { call } from "../api/client.ts";
import { useResource } from "../api/resource.ts";
import { sees } from "../api/session.ts";
import { safe } from "../ui/text.ts";

export const useUsers = () => useResource("users", async (signal) => (sees().users ? call("GET /v1/users", { signal }) : { users: [] }));
export const useProjects = () => useResource("projects", async (signal) => (sees().projects ? call("GET /v1/projects", { signal }) : { projects: [] }));

/** A field for a name that offers those that are known. */
export function NameField({ label, value, names, onInput, placeholder, autofocus }: { label: string; value: string; names: readonly string[]; onInput: (name: string) => void; placeholder?: string; autofocus?: boolean }) {
  const id = `names-${label.toLowerCase().replace(/\W+/g, "-")}`;
  return (
    <label class="field">
      <span>{label}</span>
      <input list={id} value={value} spellcheck={false} autocapitalize="off" autocomplete="off" placeholder={placeholder} autofocus={autofocus ?? false} onInput={(event) => onInput(event.currentTarget.value.trim())} />
      <datalist id={id}>
        {names.map((name) => (
          <option key={name} value={name}>
            {safe(name, 80)}
          </option>
        ))}
      </datalist>
    </label>
  );
}
