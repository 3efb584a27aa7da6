import { Tabs } from "@mantine/core";
import { useState, type ReactNode } from "react";

import { useLeave } from "./leave";

/** Tabs of which one is there at a time: an unsaved form in it is not left without a question. */
export function PageTabs({ first, children }: { first: string; children: ReactNode }) {
  const [shown, show] = useState<string | null>(first);
  const leave = useLeave();
  return (
    <Tabs value={shown} onChange={(next) => leave(() => show(next))} keepMounted={false}>
      {children}
    </Tabs>
  );
}
