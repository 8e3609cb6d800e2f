import { useEffect } from "preact/hooks";
import { useResource, type Resource } from "./resource.ts";

/** A resource that is read again and again while the page is looked at. */
export function useEvery<T>(key: string, ms: number, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const resource = useResource(key, load);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && resource.reload(), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return resource;
}
