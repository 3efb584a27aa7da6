// The editing of something stored: what is typed, what it was made from, and how a save went.
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { changedMeanwhile, same } from "../api/stored";
import { useUnsaved } from "../state/unsaved";

export interface Editable<T> {
  stored: T;
  /** `base`: what was stored when the editing began. */
  save: (value: T, base: T) => Promise<unknown>;
  /** Reads again what is stored; undefined if that failed. */
  renew: () => Promise<T | undefined>;
  onSaved?: () => void;
}

export interface Editor<T> {
  value: T;
  set: (value: T) => void;
  dirty: boolean;
  undo: () => void;
  save: () => void;
  saving: boolean;
  error: Error | null;
  /** Takes what somebody else has saved; undefined while it is not there yet. */
  loadTheirs: (() => void) | undefined;
}

export function useEditor<T>({ stored, save, renew, onSaved }: Editable<T>): Editor<T> {
  const { t } = useTranslation();
  const [value, set] = useState(stored);
  const [base, setBase] = useState(stored);
  const dirty = !same(value, base);
  useUnsaved(dirty);
  // What others saved shows up, unless something is being edited here.
  const seen = useRef(stored);
  useEffect(() => {
    if (same(seen.current, stored)) return;
    seen.current = stored;
    if (dirty) return;
    set(stored);
    setBase(stored);
  }, [stored, dirty]);

  const saving = useMutation({
    mutationFn: async (sent: T) => {
      await save(sent, base);
      // The server may write it in another way: the next change is made from that.
      return (await renew()) ?? sent;
    },
    // Somebody else's change is there to be loaded.
    onError: (error) => changedMeanwhile(error) && renew(),
    onSuccess: (now, sent) => {
      setBase(now);
      set((typed) => (typed === sent ? now : typed));
      notifications.show({ color: "green", message: t("form.saved") });
      onSaved?.();
    },
  });
  return {
    value,
    set,
    dirty,
    undo: () => set(base),
    save: () => saving.mutate(value),
    saving: saving.isPending,
    error: saving.error,
    loadTheirs: same(stored, base)
      ? undefined
      : () => {
          set(stored);
          setBase(stored);
          saving.reset();
        },
  };
}
