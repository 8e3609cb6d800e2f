// Where one is: the address below /console/, kept by the browser's history. Plain links work: a click on one that leads within
// the console becomes a step here.
import { computed, signal } from "@preact/signals";

export const BASE = "/console";

type Place = { path: string; query: URLSearchParams };

function here(): Place {
  const path = location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) : "/";
  return { path: path.replace(/\/+$/, "") || "/", query: new URLSearchParams(location.search) };
}

export const place = signal<Place>(here());
export const path = computed(() => place.value.path);

/** The address of a place within the console. */
export function to(path: string, query?: Record<string, string | undefined>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value) parameters.set(name, value);
  const asked = parameters.toString();
  return `${BASE}${path}${asked === "" ? "" : `?${asked}`}`;
}

/** Goes to a place; `replace` leaves no step to come back to. */
export function go(address: string, options: { replace?: boolean } = {}): void {
  if (options.replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  const before = place.peek().path;
  place.value = here();
  if (before !== place.peek().path && !options.replace) scrollTo(0, 0);
}

/** Changes parameters of the address; empty ones go. */
export function setQuery(change: Record<string, string | undefined>): void {
  const query = new URLSearchParams(place.peek().query);
  for (const [name, value] of Object.entries(change)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const asked = query.toString();
  go(`${location.pathname}${asked === "" ? "" : `?${asked}`}`, { replace: true });
}

export function startRouter(): void {
  addEventListener("popstate", () => (place.value = here()));
  addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
    const within = link.origin === location.origin && (link.pathname === BASE || link.pathname.startsWith(`${BASE}/`));
    if (!within || link.hash) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

/** What a pattern such as `/jobs/:id` makes of a path; nothing where it does not fit. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const value = given[at] ?? "";
    if (part.startsWith(":")) {
      try {
        params[part.slice(1)] = decodeURIComponent(value);
      } catch {
        return undefined;
      }
    } else if (part !== value) return undefined;
  }
  return params;
}
