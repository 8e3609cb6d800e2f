// What holds on each worker, as it probed it: the doctor's table.
import { call } from "../api/client.ts";
import { useEvery } from "../api/every.ts";
import type { LayerReport, WorkerPosture } from "../api/v1.ts";
import { place, setQuery, to } from "../router.ts";
import { isOptional, LayerBadge } from "../ui/badge.tsx";
import { counted } from "../ui/format.ts";
import { Rows, type Cells } from "../ui/rows.tsx";
import { Empty, Notice, Shown } from "../ui/state.tsx";
import { safe } from "../ui/text.ts";

/** What to do about a layer that a host may lack. `gambeson doctor` says more, on that host. */
const MEND: Record<string, string> = {
  "cgroup.memory": "Give the worker the memory controller: start it by systemd with Delegate=yes, or as root.",
  "cgroup.pids": "Give the worker the pids controller: start it by systemd with Delegate=yes, or as root.",
  "cgroup.cpu": "Give the worker the cpu controller: start it by systemd with Delegate=yes, or as root.",
  "namespace.user": "Allow user namespaces: sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, and AppArmor's restriction of them.",
  "namespace.time": "Use a kernel of 5.6 or newer with CONFIG_TIME_NS.",
  "namespace.cgroup": "Use a kernel with cgroup namespaces (CONFIG_CGROUPS, 4.6 or newer).",
  landlock: "Boot with lsm=landlock,… on a kernel of 5.13 or newer (CONFIG_SECURITY_LANDLOCK).",
  selinux: "Optional. Where SELinux enforces, load policies/selinux/gambeson.cil; each cell then has a category of its own.",
};

const COLUMNS: readonly Cells<LayerReport>[] = [
  { title: "Layer", width: "170px", cell: (one) => <span class="mono small">{safe(one.name, 60)}</span> },
  { title: "State", width: "110px", cell: (one) => <LayerBadge layer={one} /> },
  { title: "What it does, or what was found", cell: (one) => safe(one.detail, 400) },
  { title: "What to do", cell: (one) => (one.state === "held" ? null : (MEND[one.name] ?? "Run gambeson doctor on that machine: it says what is wrong.")) },
];

export default function Posture() {
  const posture = useEvery("posture", 15_000, (signal) => call("GET /v1/posture", { signal }));
  const asked = place.value.query.get("worker");
  return (
    <div class="page">
      <div class="page-head">
        <h1>Posture</h1>
        <span class="faint">Which layers each worker can put around a program, from the outside in. What held around one job, its page says.</span>
      </div>
      <Shown of={posture} label="Loading the posture">
        {(value) => {
          const shown = asked === null ? value.workers : value.workers.filter((one) => one.worker === asked);
          return (
            <>
              {asked !== null && value.workers.length > 1 && (
                <p>
                  <button type="button" class="link" onClick={() => setQuery({ worker: undefined })}>
                    Show all {value.workers.length} workers
                  </button>
                </p>
              )}
              {shown.length === 0 ? (
                <section class="panel">
                  <Empty title={asked === null ? "No worker has joined yet" : "There is no such worker"} icon="posture">
                    <a href={to("/workers")}>The workers</a>
                  </Empty>
                </section>
              ) : (
                shown.map((one) => <OneWorker key={one.worker} posture={one} />)
              )}
            </>
          );
        }}
      </Shown>
    </div>
  );
}

function OneWorker({ posture }: { posture: WorkerPosture }) {
  const missing = posture.layers.filter((layer) => layer.state !== "held");
  const grave = missing.filter((layer) => !isOptional(layer));
  const name = safe(posture.name, 80);
  return (
    <section class="panel" aria-label={`Layers of ${name}`}>
      <div class="panel-head">
        <h2>{name}</h2>
        <span class="faint">
          {posture.layers.length - missing.length} of {counted(posture.layers.length, "layer")} held
        </span>
      </div>
      {grave.length > 0 && (
        <div class="panel-note">
          <Notice kind="error">
            {counted(grave.length, "layer is", "layers are")} missing: {grave.map((layer) => safe(layer.name, 60)).join(", ")}. Jobs run here only because its operator accepted that.
          </Notice>
        </div>
      )}
      {posture.layers.length === 0 ? <Empty title="It told of no layers" icon="posture" /> : <Rows label={`Layers of ${name}`} columns={COLUMNS} rows={[...missing, ...posture.layers.filter((layer) => layer.state === "held")]} keyOf={(one) => one.name} />}
    </section>
  );
}
