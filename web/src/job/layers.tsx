import type { Job } from "../api/v1.ts";
import { LayerBadge } from "../ui/badge.tsx";
import { Scroll } from "../ui/scroll.tsx";
import { Empty } from "../ui/state.tsx";
import { safe } from "../ui/text.ts";

/** What held while it ran, as it was looked at and not as it was configured. */
export function LayersPanel({ job }: { job: Job }) {
  const layers = job.layers ?? [];
  if (layers.length === 0) {
    const why = job.state === "ended" ? "No cell was built for it, or your role does not show them." : "A worker tells them when the job has ended.";
    return (
      <Empty title="There are no layers to show" icon="posture">
        {why}
      </Empty>
    );
  }
  const missing = layers.filter((layer) => layer.state !== "held").length;
  return (
    <Scroll label="Layers">
      <p class="lead">
        {layers.length - missing} of {layers.length} layers held while it ran, as they were probed and not as they were configured.
      </p>
      <Scroll label="Layers, table" className="table-scroll">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Layer</th>
              <th scope="col">State</th>
              <th scope="col">With what, and how we know</th>
            </tr>
          </thead>
          <tbody>
            {[...layers].sort((a, b) => Number(a.state === "held") - Number(b.state === "held")).map((layer) => (
              <tr key={layer.name}>
                <td class="mono nowrap">{safe(layer.name)}</td>
                <td>
                  <LayerBadge layer={layer} />
                </td>
                <td class="break">{safe(layer.detail, 1000)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Scroll>
  );
}
