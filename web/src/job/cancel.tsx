import { useSignal } from "@preact/signals";
import { call } from "../api/client.ts";
import type { Job } from "../api/v1.ts";
import { Confirm } from "../ui/dialog.tsx";
import { Icon } from "../ui/icon.tsx";
import { toast } from "../ui/toast.tsx";

/** Asks for the job's end, after a question. */
export function CancelButton({ job, small, onDone }: { job: Job; small?: boolean; onDone: () => void }) {
  const asks = useSignal(false);
  return (
    <>
      <button type="button" class={small ? "button small" : "button"} onClick={() => (asks.value = true)}>
        <Icon name="stop" /> Cancel
      </button>
      {asks.value && (
        <Confirm
          title="Cancel this job?"
          act="Cancel the job"
          danger
          onClose={() => (asks.value = false)}
          carryOut={async () => {
            await call("POST /v1/jobs/{id}/cancel", { path: { id: job.id } });
            toast("The job's end was asked for.");
            onDone();
          }}
        >
          <p>
            {job.state === "queued" ? "It will not start." : "Its program is killed."} What it wrote until then is kept; it cannot be taken up again.
          </p>
          <p class="mono small faint">{job.id}</p>
        </Confirm>
      )}
    </>
  );
}
