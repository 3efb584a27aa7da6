// A value that outlives the page: kept in local storage, shared between tabs, watched by React.
import { useSyncExternalStore } from "react";

export interface Store<T> {
  get(): T;
  set(value: T): void;
  subscribe(listener: () => void): () => void;
}

export function createStore<T>(key: string, initial: T, isValid: (value: unknown) => value is T): Store<T> {
  const listeners = new Set<() => void>();
  const read = (text: string | null): T => {
    if (text === null) return initial;
    try {
      const value: unknown = JSON.parse(text);
      return isValid(value) ? value : initial;
    } catch {
      return initial;
    }
  };
  let current = read(localStorage.getItem(key));
  const tell = () => listeners.forEach((listener) => listener());
  window.addEventListener("storage", (event) => {
    if (event.key !== key) return;
    current = read(event.newValue);
    tell();
  });
  return {
    get: () => current,
    set(value) {
      current = value;
      localStorage.setItem(key, JSON.stringify(value));
      tell();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}
