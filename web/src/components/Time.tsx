import { formatTime } from "../lib/time";
import { useSettings } from "../state/settings";

/** An instant in the chosen time zone. */
export function Time({ value }: { value: string | number | null | undefined }) {
  const { timeZone } = useSettings();
  const text = formatTime(value, timeZone);
  if (text === "") return <span>–</span>;
  return <time style={{ whiteSpace: "nowrap" }}>{text}</time>;
}
