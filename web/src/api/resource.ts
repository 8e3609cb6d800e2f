// What a page reads: its value, what went wrong, and how to read it again. The value stays while it is read again.
import { useComputed, useSignal, type ReadonlySignal } from "@preact/signals";
import { useCallback, useEffect, useRef } from "preact/hooks";
import { asProblem, type Problem } from "./problem.ts";

export type Resource<T> = {
  value: ReadonlySignal<T | undefined>;
  problem: ReadonlySignal<Problem | undefined>;
  loading: ReadonlySignal<boolean>;
  reload: () => void;
  set: (change: (value: T | undefined) => T | undefined) => void;
};

/** Reads by `load` now, whenever `key` changes, and on `reload`; several reloads at once become one. */
export function useResource<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const state = useSignal<{ value?: T; problem?: Problem; loading: boolean }>({ loading: true });
  const loader = useRef(load);
  loader.current = load;
  const busy = useRef<AbortController>(undefined);
  const again = useRef(false);

  const read = useCallback(async (controller: AbortController) => {
    busy.current = controller;
    state.value = { ...state.peek(), loading: true };
    try {
      const value = await loader.current(controller.signal);
      if (!controller.signal.aborted) state.value = { value, loading: false };
    } catch (thrown) {
      if (!controller.signal.aborted) state.value = { ...state.peek(), problem: asProblem(thrown), loading: false };
    }
    if (busy.current === controller) busy.current = undefined;
    if (again.current && !controller.signal.aborted) {
      again.current = false;
      void read(controller);
    }
  }, []);

  useEffect(() => {
    const controller = new AbortController();
    state.value = { loading: true };
    again.current = false;
    void read(controller);
    current.current = controller;
    return () => controller.abort();
  }, [key]);

  const current = useRef<AbortController>(undefined);
  const reload = useCallback(() => {
    const controller = current.current;
    if (!controller) return;
    if (busy.current === controller) again.current = true;
    else void read(controller);
  }, []);
  const set = useCallback((change: (value: T | undefined) => T | undefined) => {
    const value = change(state.peek().value);
    if (value !== undefined) state.value = { ...state.peek(), value };
  }, []);

  return {
    value: useComputed(() => state.value.value),
    problem: useComputed(() => state.value.problem),
    loading: useComputed(() => state.value.loading),
    reload,
    set,
  };
}
