import { useSignal } from "@preact/signals";
import { call } from "../api/client.ts";
import { useResource } from "../api/resource.ts";
import { inScope, session } from "../api/session.ts";
import type { CreatedKey, Key } from "../api/v1.ts";
import { place, setQuery } from "../router.ts";
import { Badge } from "../ui/badge.tsx";
import { Confirm } from "../ui/dialog.tsx";
import { Field, FormDialog, SecretDialog } from "../ui/form.tsx";
import { counted, shortId } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { readDuration } from "../ui/quantity.ts";
import { Rows, type Cells } from "../ui/rows.tsx";
import { Empty, Shown } from "../ui/state.tsx";
import { safe } from "../ui/text.ts";
import { Ago, now } from "../ui/time.tsx";
import { toast } from "../ui/toast.tsx";
import { NameField, useProjects, useUsers } from "./lists.tsx";
import { SCOPES } from "./words.ts";

const isOver = (key: Key): boolean => key.revoked_at != null || (key.expires_at != null && Date.parse(key.expires_at) <= now.value);

export function KeysTab() {
  const me = session.value?.who.user.name ?? "";
  const user = place.value.query.get("user") ?? me;
  const keys = useResource(`keys ${user}`, (signal) => call("GET /v1/keys", { query: user === me ? {} : { user }, signal }));
  const users = useUsers();
  const projects = useProjects();
  const all = useSignal(false);
  const making = useSignal(false);
  const made = useSignal<CreatedKey | undefined>(undefined);
  const asks = useSignal<Key | undefined>(undefined);
  const may = inScope("keys");
  const projectName = (id: string) => projects.value.value?.projects.find((one) => one.id === id)?.name ?? shortId(id);
  const columns: Cells<Key>[] = [
    {
      title: "Key",
      cell: (one) => (
        <>
          <b>{safe(one.name, 80)}</b> {one.id === session.value?.who.key.id && <Badge tone="info">this session</Badge>}
          <div class="faint small mono" title={one.id}>
            gmb_{shortId(one.id)}…
          </div>
        </>
      ),
    },
    {
      title: "For",
      cell: (one) => (
        <>
          <span class="chips">
            {one.scopes.map((scope) => (
              <code class="label" key={scope}>
                {safe(scope, 40)}
              </code>
            ))}
          </span>
          {one.project && <div class="faint small">in {safe(projectName(one.project), 60)} only</div>}
        </>
      ),
    },
    {
      title: "State",
      cell: (one) =>
        one.revoked_at ? (
          <Badge tone="bad" icon="cross">
            revoked
          </Badge>
        ) : isOver(one) ? (
          <Badge tone="neutral" icon="clock">
            expired
          </Badge>
        ) : (
          <Badge tone="good" icon="check">
            valid
          </Badge>
        ),
    },
    { title: "Made", cell: (one) => <Ago at={one.created_at} /> },
    { title: "Used", cell: (one) => (one.last_used_at ? <Ago at={one.last_used_at} /> : <span class="faint">never</span>) },
    { title: "Ends", cell: (one) => (one.revoked_at ? <Ago at={one.revoked_at} /> : one.expires_at ? <Ago at={one.expires_at} /> : <span class="faint">never</span>) },
    {
      title: "",
      cell: (one) => (
        <div class="acts">
          {may && !isOver(one) && (
            <button type="button" class="button small" aria-label={`Revoke ${safe(one.name, 80)}`} onClick={() => (asks.value = one)}>
              Revoke
            </button>
          )}
        </div>
      ),
    },
  ];
  const names = users.value.value?.users.map((one) => one.name) ?? [];
  return (
    <>
      <div class="tab-head">
        <label class="inline">
          <span>Keys of</span>
          {names.length > 0 ? (
            <select value={user} onChange={(event) => setQuery({ user: event.currentTarget.value === me ? undefined : event.currentTarget.value })}>
              {!names.includes(user) && <option value={user}>{safe(user, 60)}</option>}
              {names.map((name) => (
                <option key={name} value={name}>
                  {name === me ? `${safe(name, 60)} (you)` : safe(name, 60)}
                </option>
              ))}
            </select>
          ) : (
            <b>{safe(user, 60)}</b>
          )}
        </label>
        <label class="check">
          <input type="checkbox" checked={all.value} onChange={(event) => (all.value = event.currentTarget.checked)} /> Those that are over, too
        </label>
        <span class="push" />
        {may && (
          <button type="button" class="button" onClick={() => (making.value = true)}>
            <Icon name="plus" /> New key
          </button>
        )}
      </div>
      <Shown of={keys} label="Loading the keys">
        {(value) => {
          const shown = value.keys.filter((one) => all.value || !isOver(one));
          return shown.length === 0 ? (
            <Empty title={`${safe(user, 60)} has no valid key`} icon="access">
              {value.keys.length > 0 && `${counted(value.keys.length, "key is", "keys are")} over.`}
            </Empty>
          ) : (
            <Rows label={`Keys of ${safe(user, 60)}`} columns={columns} rows={shown} keyOf={(one) => one.id} />
          );
        }}
      </Shown>
      {making.value && (
        <NewKey
          user={user}
          users={names}
          projects={projects.value.value?.projects.map((one) => one.name) ?? []}
          onClose={() => (making.value = false)}
          onMade={(key) => {
            made.value = key;
            keys.reload();
          }}
        />
      )}
      {made.value && (
        <SecretDialog title={`The key ${safe(made.value.key.name, 60)}`} secret={made.value.secret} onClose={() => (made.value = undefined)}>
          <p>
            It is {safe(made.value.key.user_name, 60)}'s, for {safe(made.value.key.scopes.join(", "), 200)}
            {made.value.key.expires_at ? (
              <>
                , and ends <Ago at={made.value.key.expires_at} />
              </>
            ) : (
              ", and does not end by itself"
            )}
            .
          </p>
        </SecretDialog>
      )}
      {asks.value && (
        <Confirm
          title={`Revoke ${safe(asks.value.name, 80)}?`}
          act="Revoke the key"
          danger
          onClose={() => (asks.value = undefined)}
          carryOut={async () => {
            const key = asks.peek();
            if (!key) return;
            await call("POST /v1/keys/{id}/revoke", { path: { id: key.id } });
            toast(`The key ${key.name} works no more.`);
            keys.reload();
          }}
        >
          <p>It works no more from this moment, for good: programs that use it are refused, browsers that signed in with it are signed out.</p>
          {asks.value.id === session.value?.who.key.id && <p>You are signed in with this very key.</p>}
        </Confirm>
      )}
    </>
  );
}

const ENDS = [
  ["1h", "In an hour"],
  ["24h", "In a day"],
  ["30d", "In 30 days"],
  ["90d", "In 90 days"],
  ["365d", "In a year"],
  ["", "Not by itself"],
] as const;

function NewKey({ user, users, projects, onClose, onMade }: { user: string; users: readonly string[]; projects: readonly string[]; onClose: () => void; onMade: (key: CreatedKey) => void }) {
  const name = useSignal("");
  const whose = useSignal(user);
  const scopes = useSignal<readonly string[]>(["jobs:read", "jobs:write"]);
  const project = useSignal("");
  const ends = useSignal<string>("30d");
  const toggle = (scope: string) => (scopes.value = scopes.value.includes(scope) ? scopes.value.filter((one) => one !== scope) : [...scopes.value, scope]);
  const wrong = name.value.trim() === "" ? "" : scopes.value.length === 0 ? "Choose what it is for." : ends.value !== "" && readDuration(ends.value) === undefined ? "Write the end as a time such as 30d." : undefined;
  return (
    <FormDialog
      title="New key"
      act="Make the key"
      onClose={onClose}
      wrong={wrong}
      carryOut={async () => {
        const made = await call("POST /v1/keys", {
          body: { name: name.peek().trim(), scopes: [...scopes.peek()], ...(whose.peek() !== session.peek()?.who.user.name && { user: whose.peek() }), ...(project.peek() && { project: project.peek() }), ...(ends.peek() && { expires_in: ends.peek() }) },
        });
        onMade(made);
      }}
    >
      <Field label="Name" hint="What it is called in lists and in the log">
        <input autofocus value={name.value} autocomplete="off" placeholder="laptop" maxLength={64} onInput={(event) => (name.value = event.currentTarget.value)} />
      </Field>
      {users.length > 1 && <NameField label="Whose" value={whose.value} names={users} onInput={(value) => (whose.value = value)} />}
      <fieldset>
        <legend class="small-legend">What it is for</legend>
        <div class="checks">
          {SCOPES.map(([scope, says]) => (
            <label class="check" key={scope}>
              <input type="checkbox" checked={scopes.value.includes(scope)} onChange={() => toggle(scope)} />
              <span>
                <code>{scope}</code> <span class="faint">{says}</span>
              </span>
            </label>
          ))}
        </div>
        <p class="field-hint">A key never exceeds what its owner may.</p>
      </fieldset>
      <div class="form-pair">
        <Field label="Ends">
          <select value={ends.value} onChange={(event) => (ends.value = event.currentTarget.value)}>
            {ENDS.map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Works in">
          <select value={project.value} onChange={(event) => (project.value = event.currentTarget.value)}>
            <option value="">Every project of its owner</option>
            {projects.map((one) => (
              <option key={one} value={one}>
                {safe(one, 60)} only
              </option>
            ))}
          </select>
        </Field>
      </div>
    </FormDialog>
  );
}
