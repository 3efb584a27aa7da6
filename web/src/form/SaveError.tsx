import { Alert } from "@mantine/core";

import { changedMeanwhile } from "../api/stored";
import { ChangedMeanwhile } from "../components/ChangedMeanwhile";
import type { Editor } from "./useEditor";

/** Why the last save was refused. */
export function SaveError({ error, loadTheirs }: Pick<Editor<unknown>, "error" | "loadTheirs">) {
  if (!error) return null;
  if (changedMeanwhile(error)) return <ChangedMeanwhile onLoad={() => loadTheirs?.()} disabled={!loadTheirs} />;
  return (
    <Alert color="red" variant="light" role="alert" style={{ whiteSpace: "pre-wrap" }}>
      {error.message}
    </Alert>
  );
}
