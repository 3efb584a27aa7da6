import { Select, type SelectProps } from "@mantine/core";
import { useTranslation } from "react-i18next";

/** "0", "1" or "2" */
export function QosSelect(props: Omit<SelectProps, "data">) {
  const { t } = useTranslation();
  return (
    <Select
      label="QoS"
      data={["0", "1", "2"].map((value) => ({ value, label: `${value} – ${t(`qos.${value}`)}` }))}
      allowDeselect={false}
      {...props}
    />
  );
}
