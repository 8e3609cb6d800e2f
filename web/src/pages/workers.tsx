// The machines that run jobs: how they are, and whether they take more.
import { useSignal } from "@preact/signals";
import { call } from "../api/client.ts";
import { useEvery } from "../api/every.ts";
import { holds, inScope } from "../api/session.ts";
import type { JoinToken, Worker } from "../api/v1.ts";
import { to } from "../router.ts";
import { Badge } from "../ui/badge.tsx";
import { Confirm } from "../ui/dialog.tsx";
import { SecretDialog } from "../ui/form.tsx";
import { bytes, count, cpus } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { Part, Rows, type Cells } from "../ui/rows.tsx";
import { Empty, Shown } from "../ui/state.tsx";
import { safe } from "../ui/text.ts";
import { Ago } from "../ui/time.tsx";
import { toast, toastProblem } from "../ui/toast.tsx";

export default function Workers() {
  const workers = useEvery("workers", 3000, (signal) => call("GET /v1/workers", { signal }));
  const asks = useSignal<Worker | undefined>(undefined);
  const token = useSignal<JoinToken | undefined>(undefined);
  const may = inScope("admin") && holds(["owner", "operator"], "platform");
  const add = () => call("POST /v1/workers/join-tokens").then((made) => (token.value = made), toastProblem);
  const undrain = (worker: Worker) =>
    call("POST /v1/workers/{id}/undrain", { path: { id: worker.id } }).then(() => {
      toast(`${worker.name} takes jobs again.`);
      workers.reload();
    }, toastProblem);

  const columns: Cells<Worker>[] = [
    {
      title: "Worker",
      cell: (one) => (
        <>
          <b>{safe(one.name, 80)}</b> <Standing worker={one} />
          <div class="faint small">
            {safe(one.environment, 80)} · {safe(one.version, 40)}
          </div>
        </>
      ),
    },
    { title: "Jobs", width: "120px", cell: (one) => <Part used={one.running} most={one.slots} words={`${count(one.running)} of ${count(one.slots)}`} label="Cells in use" /> },
    {
      title: "Gives",
      width: "92px",
      cell: (one) => (
        <>
          {cpus(one.cpus_milli)}
          <div class="faint small">{bytes(one.memory_bytes)}</div>
        </>
      ),
    },
    {
      title: "Cells",
      width: "112px",
      cell: (one) =>
        one.vitals ? (
          <>
            {count(one.vitals.cells)} busy
            <div class="faint small">{count(one.vitals.spares)} wait warm</div>
          </>
        ) : (
          <span class="faint">not told</span>
        ),
    },
    { title: "Pressure", width: "190px", cell: (one) => <Pressure worker={one} /> },
    {
      title: "Heard of",
      width: "136px",
      cell: (one) => (
        <>
          <Ago at={one.seen_at} />
          <div class="faint small">
            enrolled <Ago at={one.enrolled_at} />
          </div>
        </>
      ),
    },
    {
      title: "",
      width: "168px",
      cell: (one) => (
        <div class="acts">
          <a class="button small" href={to("/posture", { worker: one.id })} aria-label={`Layers of ${safe(one.name, 80)}`}>
            <Icon name="posture" /> Layers
          </a>
          {may &&
            (one.draining ? (
              <button type="button" class="button small" aria-label={`Undrain ${safe(one.name, 80)}`} onClick={() => void undrain(one)}>
                Undrain
              </button>
            ) : (
              <button type="button" class="button small" aria-label={`Drain ${safe(one.name, 80)}`} onClick={() => (asks.value = one)}>
                Drain
              </button>
            ))}
        </div>
      ),
    },
  ];

  return (
    <div class="page">
      <div class="page-head">
        <h1>Workers</h1>
        <span class="push" />
        {may && (
          <button type="button" class="button" onClick={() => void add()}>
            <Icon name="plus" /> Add a worker
          </button>
        )}
      </div>
      <section class="panel" aria-label="Workers">
        <Shown of={workers} label="Loading the workers">
          {(value) =>
            value.workers.length === 0 ? (
              <Empty title="There is no worker yet" icon="workers">
                Nothing runs until one has joined. Add one, and start it on a machine with the token that you get.
              </Empty>
            ) : (
              <Rows label="Workers" columns={columns} rows={value.workers} keyOf={(one) => one.id} />
            )
          }
        </Shown>
      </section>
      {asks.value && (
        <Confirm
          title={`Drain ${safe(asks.value.name, 80)}?`}
          act="Drain"
          onClose={() => (asks.value = undefined)}
          carryOut={async () => {
            const worker = asks.peek();
            if (!worker) return;
            await call("POST /v1/workers/{id}/drain", { path: { id: worker.id } });
            toast(`${worker.name} gets no more jobs.`);
            workers.reload();
          }}
        >
          <p>It finishes what it has ({count(asks.value.running)} now) and gets no new jobs until it is undrained. Its process stays.</p>
        </Confirm>
      )}
      {token.value && (
        <SecretDialog title="A worker may join" secret={token.value.token} onClose={() => (token.value = undefined)}>
          <p>
            Write it to a file on the machine that is to run jobs, and start the worker there. It works once, and until <Ago at={token.value.expires_at} />.
          </p>
          <pre class="excerpt" tabIndex={0} role="group" aria-label="How to start it">{`gambeson worker --join ${location.origin} --join-token-file FILE`}</pre>
        </SecretDialog>
      )}
    </div>
  );
}

function Standing({ worker }: { worker: Worker }) {
  if (!worker.connected)
    return (
      <Badge tone="bad" icon="warning">
        silent
      </Badge>
    );
  if (worker.draining)
    return (
      <Badge tone="warning" icon="held">
        draining
      </Badge>
    );
  return (
    <Badge tone="good" icon="check">
      ready
    </Badge>
  );
}

const KINDS = [
  ["CPU", "cpu_pressure"],
  ["memory", "memory_pressure"],
  ["I/O", "io_pressure"],
] as const;

/** Of the last ten seconds, the part in which somebody waited. */
function Pressure({ worker }: { worker: Worker }) {
  const told = KINDS.flatMap(([name, member]) => {
    const value = worker.vitals?.[member];
    return value == null ? [] : [{ name, value }];
  });
  if (told.length === 0) return <span class="faint">not told</span>;
  return (
    <div class="pressure">
      {told.map(({ name, value }) => (
        <Part key={name} used={value} most={100} words={`${name} ${value < 10 ? value.toFixed(1) : value.toFixed(0)} %`} label={`Time in which somebody waited for ${name}`} />
      ))}
    </div>
  );
}
