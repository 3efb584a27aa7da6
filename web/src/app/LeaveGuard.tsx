// Asks before an unsaved form is left: by a link or the browser's buttons in words of our own, else in the browser's.
import { useEffect } from "react";
import { useBeforeUnload, useBlocker } from "react-router-dom";

import { useLeave } from "../components/leave";
import { hasUnsaved } from "../state/unsaved";

export function LeaveGuard() {
  const leave = useLeave();
  // Filters and pages of lists are in the search: their change leaves no form.
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) => currentLocation.pathname !== nextLocation.pathname && hasUnsaved(),
  );
  useEffect(() => {
    if (blocker.state === "blocked") leave(blocker.proceed, blocker.reset);
    // Once for each attempt to leave, not for each rendering while the question is open.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [blocker.state]);
  useBeforeUnload((event) => {
    if (hasUnsaved()) event.preventDefault();
  });
  return null;
}
