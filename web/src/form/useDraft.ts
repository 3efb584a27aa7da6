// What is typed on the way to a value, half a name or half of a JSON text, say. It is kept as long as the value is the one
// that it stood for, and made anew when another came: by undoing, or with what somebody else has saved.
import { useState } from "react";

import { same } from "../api/stored";

export interface Draft<D> {
  draft: D;
  /** Shows `draft`, which stands for `value`; `value` absent: for what there was, it says nothing yet. */
  type: (draft: D, stands?: { value: unknown }) => void;
}

export function useDraft<D>(value: unknown, set: (value: unknown) => void, make: (value: unknown) => D): Draft<D> {
  const [kept, keep] = useState(() => ({ draft: make(value), of: value }));
  const current = same(kept.of, value) ? kept : { draft: make(value), of: value };
  if (current !== kept) keep(current);
  return {
    draft: current.draft,
    type: (draft, stands) => {
      keep({ draft, of: stands ? stands.value : value });
      if (stands) set(stands.value);
    },
  };
}
