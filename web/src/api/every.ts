import { useEffect } from "preact/hooks";
import { useResource, type Resource } from "./resource.ts";

/** Has a resource read again and again while the page is looked at; not without a time between. */
export function useReloads(resource: Pick<Resource<unknown>, "reload">, ms: number | undefined): void {
  useEffect(() => {
    if (ms === undefined) return;
    const timer = setInterval(() => document.visibilityState === "visible" && resource.reload(), ms);
    return () => clearInterval(timer);
  }, [ms]);
}

/** A resource that is read again and again while the page is looked at. */
export function useEvery<T>(key: string, ms: number, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const resource = useResource(key, load);
  useReloads(resource, ms);
  return resource;
}
