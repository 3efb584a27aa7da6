import { createTheme, type MantineColorsTuple } from "@mantine/core";

const signal: MantineColorsTuple = [
  "#effcf9",
  "#d8f5ef",
  "#aeeade",
  "#7fdecb",
  "#57d2ba",
  "#35bfa6",
  "#17a08a",
  "#0f766e",
  "#0c615a",
  "#084c47",
];

export const theme = createTheme({
  primaryColor: "signal",
  primaryShade: { light: 7, dark: 5 },
  autoContrast: true,
  colors: { signal },
  defaultRadius: "md",
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans SC", "PingFang SC", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: "650" },
  cursorType: "pointer",
});
