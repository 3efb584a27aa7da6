// The form of a dialog that changes something stored.
import type { UseFormReturnType } from "@mantine/form";
import { useState } from "react";

import { read, write, type Stored } from "../api/stored";

/** `shown`: what the dialog was opened with. `valuesOf`: what the form shows of it. */
export function useStoredForm<T, V extends Record<string, unknown>>(
  form: UseFormReturnType<V>,
  stored: Stored<T>,
  shown: T,
  valuesOf: (now: T) => Partial<V>,
) {
  const [base, setBase] = useState(shown);
  return {
    save: (value: T) => write(stored, value, base),
    loadTheirs: async () => {
      const now = await read(stored);
      setBase(now);
      form.setValues(valuesOf(now));
    },
  };
}
