import { useSignal } from "@preact/signals";
import { call } from "../api/client.ts";
import { useResource } from "../api/resource.ts";
import { holds, inScope, sees } from "../api/session.ts";
import type { Membership } from "../api/v1.ts";
import { place, setQuery } from "../router.ts";
import { Badge } from "../ui/badge.tsx";
import { Confirm } from "../ui/dialog.tsx";
import { Field, FormDialog } from "../ui/form.tsx";
import { counted } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { Rows, type Cells } from "../ui/rows.tsx";
import { Empty, Shown } from "../ui/state.tsx";
import { safe } from "../ui/text.ts";
import { toast } from "../ui/toast.tsx";
import { NameField, useProjects, useUsers } from "./lists.tsx";
import { ROLES } from "./words.ts";

export function RolesTab() {
  const projects = useProjects();
  const users = useUsers();
  const project = place.value.query.get("project") ?? "";
  const user = place.value.query.get("user") ?? "";
  const { members: everywhere, members_of } = sees();
  const asked = project !== "" ? project : everywhere ? undefined : members_of[0];
  const members = useResource(`members ${asked ?? ""} ${everywhere}`, (signal) => call("GET /v1/members", { query: asked === undefined ? {} : { project: asked }, signal }));
  const giving = useSignal(false);
  const asks = useSignal<Membership | undefined>(undefined);
  const may = inScope("admin") && holds(["owner", "operator"]);
  const columns: Cells<Membership>[] = [
    { title: "User", cell: (one) => <b>{safe(one.user_name, 80)}</b> },
    { title: "Role", cell: (one) => <Badge tone="info">{safe(one.role, 40)}</Badge> },
    { title: "Where", cell: (one) => (one.project ? safe(one.project_name, 80) : <b>the whole platform</b>) },
    { title: "Which means", cell: (one) => <span class="faint">{ROLES.find(([role]) => role === one.role)?.[1] ?? ""}</span> },
    {
      title: "",
      cell: (one) => (
        <div class="acts">
          {may && holds(["owner", "operator"], one.project ?? "platform") && (
            <button type="button" class="button small" aria-label={`Take away the role ${safe(one.role, 40)} in ${safe(one.project_name, 60)} from ${safe(one.user_name, 60)}`} onClick={() => (asks.value = one)}>
              Take away
            </button>
          )}
        </div>
      ),
    },
  ];
  const known = projects.value.value?.projects ?? [];
  const names = known.map((one) => one.name);
  return (
    <>
      <div class="tab-head">
        <label class="inline">
          <span>In</span>
          <select value={known.find((one) => one.id === asked)?.name ?? asked ?? ""} onChange={(event) => setQuery({ project: event.currentTarget.value })}>
            {everywhere && <option value="">everywhere</option>}
            {everywhere && <option value="platform">the whole platform</option>}
            {known.map(({ id, name }) => (everywhere || members_of.includes(id)) && (
              <option key={id} value={name}>
                {safe(name, 60)}
              </option>
            ))}
          </select>
        </label>
        {user !== "" && (
          <button type="button" class="button small" aria-label="Show the roles of all users" onClick={() => setQuery({ user: undefined })}>
            Of {safe(user, 60)} <Icon name="close" size={12} />
          </button>
        )}
        <span class="push" />
        {may && (
          <button type="button" class="button" onClick={() => (giving.value = true)}>
            <Icon name="plus" /> Give a role
          </button>
        )}
      </div>
      <Shown of={members} label="Loading the roles">
        {(value) => {
          const shown = value.members.filter((one) => user === "" || one.user_name === user);
          return shown.length === 0 ? <Empty title="Nobody holds a role here" icon="access" /> : <Rows label={counted(shown.length, "role")} columns={columns} rows={shown} keyOf={(one) => `${one.user} ${one.project ?? ""} ${one.role}`} />;
        }}
      </Shown>
      {giving.value && <GiveRole user={user} project={project} users={users.value.value?.users.map((one) => one.name) ?? []} projects={names} onClose={() => (giving.value = false)} onGiven={members.reload} />}
      {asks.value && (
        <Confirm
          title="Take the role away?"
          act="Take it away"
          danger
          onClose={() => (asks.value = undefined)}
          carryOut={async () => {
            const one = asks.peek();
            if (!one) return;
            await call("POST /v1/members/remove", { body: { user: one.user, project: one.project ?? "platform", role: one.role } });
            toast(`${one.user_name} is no longer ${one.role} there.`);
            members.reload();
          }}
        >
          <p>
            {safe(asks.value.user_name, 80)} will no longer be <b>{safe(asks.value.role, 40)}</b> {asks.value.project ? `of ${safe(asks.value.project_name, 80)}` : "of the whole platform"}. What they follow by it ends.
          </p>
        </Confirm>
      )}
    </>
  );
}

function GiveRole({ user, project, users, projects, onClose, onGiven }: { user: string; project: string; users: readonly string[]; projects: readonly string[]; onClose: () => void; onGiven: () => void }) {
  const who = useSignal(user);
  const where = useSignal(project !== "" ? project : (projects[0] ?? "platform"));
  const role = useSignal("submitter");
  return (
    <FormDialog
      title="Give a role"
      act="Give the role"
      onClose={onClose}
      wrong={who.value === "" ? "" : undefined}
      carryOut={async () => {
        await call("POST /v1/members", { body: { user: who.peek(), project: where.peek(), role: role.peek() } });
        toast(`${who.peek()} is ${role.peek()} of ${where.peek() === "platform" ? "the platform" : where.peek()}.`);
        onGiven();
      }}
    >
      <NameField label="User" value={who.value} names={users} onInput={(value) => (who.value = value)} autofocus />
      <Field label="Where">
        <select value={where.value} onChange={(event) => (where.value = event.currentTarget.value)}>
          {projects.map((name) => (
            <option key={name} value={name}>
              {safe(name, 60)}
            </option>
          ))}
          <option value="platform">The whole platform</option>
        </select>
      </Field>
      <fieldset>
        <legend class="small-legend">Role</legend>
        <div class="checks">
          {ROLES.map(([name, says]) => (
            <label class="check" key={name}>
              <input type="radio" name="role" value={name} checked={role.value === name} onChange={() => (role.value = name)} />
              <span>
                <b>{name}</b> <span class="faint">{says}</span>
              </span>
            </label>
          ))}
        </div>
      </fieldset>
    </FormDialog>
  );
}
