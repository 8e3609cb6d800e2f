import { call } from "../api/client.ts";
import { useEvery } from "../api/every.ts";
import type { UsageLine } from "../api/v1.ts";
import { bytes, count, duration } from "../ui/format.ts";
import { Part, Rows, type Cells } from "../ui/rows.tsx";
import { Empty, Shown } from "../ui/state.tsx";
import { safe } from "../ui/text.ts";

const COLUMNS: readonly Cells<UsageLine>[] = [
  {
    title: "Whose",
    cell: (one) =>
      one.user ? (
        <span class="indent">{safe(one.user_name ?? one.user, 80)}</span>
      ) : (
        <b>{safe(one.project_name, 80)}</b>
      ),
  },
  {
    title: "CPU time today",
    width: "220px",
    cell: (one) => (
      <>
        <Part used={one.cpu_ms + one.cpu_reserved_ms} most={one.quota.cpu_ms_per_day} words={`${duration(one.cpu_ms)} of ${duration(one.quota.cpu_ms_per_day)}`} label="CPU time, used and reserved" />
        {one.cpu_reserved_ms > 0 && <div class="faint small">{duration(one.cpu_reserved_ms)} reserved</div>}
      </>
    ),
  },
  { title: "Running", width: "130px", cell: (one) => <Part used={one.running} most={one.quota.running} words={`${count(one.running)} of ${count(one.quota.running)}`} label="Running jobs" /> },
  { title: "Waiting", width: "150px", cell: (one) => <Part used={one.queued} most={one.quota.queued} words={`${count(one.queued)} of ${count(one.quota.queued)}`} label="Waiting jobs" /> },
  { title: "Kept", width: "170px", cell: (one) => <Part used={one.stored_bytes} most={one.quota.stored_bytes} words={`${bytes(one.stored_bytes)} of ${bytes(one.quota.stored_bytes)}`} label="Bytes kept" /> },
  { title: "Jobs ended", number: true, width: "90px", cell: (one) => count(one.jobs) },
];

export function UsageTab() {
  const usage = useEvery("usage", 5000, (signal) => call("GET /v1/usage", { signal }));
  return (
    <Shown of={usage} label="Loading the usage">
      {(value) => (
        <>
          <div class="tab-head">
            <span class="faint">Of {value.day} (UTC), against the quotas of projects and of each user in them.</span>
          </div>
          {value.lines.length === 0 ? <Empty title="Nothing was used that you may see" icon="access" /> : <Rows label="Usage" columns={COLUMNS} rows={value.lines} keyOf={(one) => `${one.project} ${one.user ?? ""}`} />}
        </>
      )}
    </Shown>
  );
}
