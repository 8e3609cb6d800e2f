import { useSignal } from "@preact/signals";
import { call } from "../api/client.ts";
import { holds, inScope, session } from "../api/session.ts";
import type { User } from "../api/v1.ts";
import { to } from "../router.ts";
import { Badge } from "../ui/badge.tsx";
import { Confirm } from "../ui/dialog.tsx";
import { Field, FormDialog } from "../ui/form.tsx";
import { counted } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { Rows, type Cells } from "../ui/rows.tsx";
import { Shown } from "../ui/state.tsx";
import { safe } from "../ui/text.ts";
import { Ago } from "../ui/time.tsx";
import { toast, toastProblem } from "../ui/toast.tsx";
import { useUsers } from "./lists.tsx";

export function PeopleTab() {
  const users = useUsers();
  const making = useSignal(false);
  const asks = useSignal<User | undefined>(undefined);
  const may = inScope("admin") && holds(["owner", "operator"], "platform");
  const enable = (user: User) =>
    call("PATCH /v1/users/{name}", { path: { name: user.id }, body: { disabled: false } }).then(() => {
      toast(`${user.name} is enabled.`);
      users.reload();
    }, toastProblem);
  const columns: Cells<User>[] = [
    {
      title: "Name",
      cell: (one) => (
        <>
          <b>{safe(one.name, 80)}</b> {one.id === session.value?.who.user.id && <Badge tone="info">you</Badge>}
        </>
      ),
    },
    { title: "Kind", cell: (one) => (one.kind === "service" ? "program" : "person") },
    {
      title: "State",
      cell: (one) =>
        one.disabled ? (
          <Badge tone="bad" icon="cross">
            disabled
          </Badge>
        ) : (
          <Badge tone="good" icon="check">
            enabled
          </Badge>
        ),
    },
    { title: "Made", cell: (one) => <Ago at={one.created_at} /> },
    {
      title: "",
      cell: (one) => (
        <div class="acts">
          <a class="button small" href={to("/access", { user: one.name })} aria-label={`Keys of ${safe(one.name, 80)}`}>
            Keys
          </a>
          <a class="button small" href={to("/access", { tab: "roles", user: one.name })} aria-label={`Roles of ${safe(one.name, 80)}`}>
            Roles
          </a>
          {may &&
            (one.disabled ? (
              <button type="button" class="button small" aria-label={`Enable ${safe(one.name, 80)}`} onClick={() => void enable(one)}>
                Enable
              </button>
            ) : (
              <button type="button" class="button small" aria-label={`Disable ${safe(one.name, 80)}`} onClick={() => (asks.value = one)}>
                Disable
              </button>
            ))}
        </div>
      ),
    },
  ];
  return (
    <>
      <Shown of={users} label="Loading the people">
        {(value) => (
          <>
            <div class="tab-head">
              <span class="faint">{counted(value.users.length, "user")}</span>
              <span class="push" />
              {may && (
                <button type="button" class="button" onClick={() => (making.value = true)}>
                  <Icon name="plus" /> New user
                </button>
              )}
            </div>
            <Rows label="People" columns={columns} rows={value.users} keyOf={(one) => one.id} />
          </>
        )}
      </Shown>
      {making.value && <NewUser onClose={() => (making.value = false)} onMade={users.reload} />}
      {asks.value && (
        <Confirm
          title={`Disable ${safe(asks.value.name, 80)}?`}
          act="Disable"
          danger
          onClose={() => (asks.value = undefined)}
          carryOut={async () => {
            const user = asks.peek();
            if (!user) return;
            await call("PATCH /v1/users/{name}", { path: { name: user.id }, body: { disabled: true } });
            toast(`${user.name} is disabled.`);
            users.reload();
          }}
        >
          <p>All that this user asks is refused from now on, whatever the key, and browsers are signed out. Jobs that run go on. It can be enabled again.</p>
        </Confirm>
      )}
    </>
  );
}

function NewUser({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const name = useSignal("");
  const kind = useSignal<"person" | "service">("person");
  return (
    <FormDialog
      title="New user"
      act="Make the user"
      onClose={onClose}
      wrong={name.value === "" ? "" : undefined}
      carryOut={async () => {
        await call("POST /v1/users", { body: { name: name.peek(), kind: kind.peek() } });
        toast(`${name.peek()} is there. A role and a key come next.`);
        onMade();
      }}
    >
      <Field label="Name" hint="1 to 64 letters, digits, dots, dashes, underscores and @">
        <input autofocus value={name.value} spellcheck={false} autocapitalize="off" autocomplete="off" onInput={(event) => (name.value = event.currentTarget.value.trim())} />
      </Field>
      <Field label="Kind">
        <select value={kind.value} onChange={(event) => (kind.value = event.currentTarget.value as "person" | "service")}>
          <option value="person">Person</option>
          <option value="service">Program</option>
        </select>
      </Field>
    </FormDialog>
  );
}
