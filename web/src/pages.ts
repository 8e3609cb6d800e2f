// Every page of the console, in the order of the menu. A page is a file of its own, loaded when it is first looked at; its
// default export is the component.
import type { ComponentType } from "preact";
import type { IconName } from "./ui/icon.tsx";

export type PageProps = {
  /** The places of the pattern, such as `id` of `/jobs/:id`. */
  params: Record<string, string>;
};

export type Page = {
  pattern: string;
  title: string;
  /** In the menu by this picture; absent for pages that others lead to. */
  icon?: IconName;
  /** Pressed after `g`, it leads there. */
  key?: string;
  /** Whose entry of the menu is lit, if not its own. */
  under?: string;
  load: () => Promise<{ default: ComponentType<PageProps> }>;
};

export const PAGES: readonly Page[] = [
  { pattern: "/", title: "Overview", icon: "overview", key: "o", load: () => import("./pages/overview.tsx") },
  { pattern: "/jobs", title: "Jobs", icon: "jobs", key: "j", load: () => import("./pages/jobs.tsx") },
  { pattern: "/jobs/:id", title: "Job", under: "/jobs", load: () => import("./pages/job.tsx") },
  { pattern: "/queue", title: "Queue", icon: "queue", key: "q", load: () => import("./pages/queue.tsx") },
  { pattern: "/playground", title: "Playground", icon: "playground", key: "p", load: () => import("./pages/playground.tsx") },
  { pattern: "/workers", title: "Workers", icon: "workers", key: "w", load: () => import("./pages/workers.tsx") },
  { pattern: "/access", title: "Access", icon: "access", key: "a", load: () => import("./pages/access.tsx") },
  { pattern: "/audit", title: "Audit", icon: "audit", key: "u", load: () => import("./pages/audit.tsx") },
  { pattern: "/posture", title: "Posture", icon: "posture", key: "s", load: () => import("./pages/posture.tsx") },
];
