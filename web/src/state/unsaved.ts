// Forms with changes that are not saved, so that nobody leaves them by accident.
import { useEffect } from "react";

const forms = new Set<object>();

export const hasUnsaved = () => forms.size > 0;

/** Of a form: whether it holds something that would be lost. */
export function useUnsaved(dirty: boolean) {
  useEffect(() => {
    if (!dirty) return;
    const form = {};
    forms.add(form);
    return () => void forms.delete(form);
  }, [dirty]);
}
