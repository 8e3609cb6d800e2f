// Who is who, by which keys, and who may do what.
import { ExplainTab } from "../access/explain.tsx";
import { KeysTab } from "../access/keys.tsx";
import { PeopleTab } from "../access/people.tsx";
import { ProjectsTab } from "../access/projects.tsx";
import { RolesTab } from "../access/roles.tsx";
import { UsageTab } from "../access/usage.tsx";
import { sees } from "../api/session.ts";
import { place, setQuery } from "../router.ts";
import { Tabs } from "../ui/tabs.tsx";

const TABS = [
  { id: "keys", label: "Keys", shows: KeysTab, seen: () => sees().keys },
  { id: "people", label: "People", shows: PeopleTab, seen: () => sees().users },
  { id: "roles", label: "Roles", shows: RolesTab, seen: () => sees().members || sees().members_of.length > 0 },
  { id: "projects", label: "Projects", shows: ProjectsTab, seen: () => sees().projects },
  { id: "usage", label: "Usage", shows: UsageTab, seen: () => sees().usage },
  { id: "explain", label: "May they?", shows: ExplainTab, seen: () => true },
] as const;

export default function Access() {
  const asked = place.value.query.get("tab");
  const tabs = TABS.filter((tab) => tab.seen());
  const here = tabs.find((tab) => tab.id === asked) ?? tabs[0] ?? TABS[0];
  const Shows = here.shows;
  return (
    <div class="page">
      <div class="page-head">
        <h1>Access</h1>
      </div>
      <section class="panel access" aria-label="Access">
        <Tabs label="Access" tabs={tabs} at={here.id} onMove={(id) => setQuery({ tab: id === "keys" ? undefined : id, user: undefined, project: undefined })}>
          <Shows key={here.id} />
        </Tabs>
      </section>
    </div>
  );
}
