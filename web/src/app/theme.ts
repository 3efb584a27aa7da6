import { Badge, Checkbox, createTheme, NavLink, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

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
  primaryShade: 7,
  autoContrast: true,
  colors: { signal },
  defaultRadius: "md",
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: "650" },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    // A status is never cut off, and reads as it is written.
    Badge: Badge.extend({
      defaultProps: { tt: "none", fw: 600 },
      styles: { root: { flexShrink: 0, overflow: "visible" }, label: { overflow: "visible" } },
    }),
    // Round ones would look like radio buttons.
    Checkbox: Checkbox.extend({ defaultProps: { radius: 4 } }),
    NavLink: NavLink.extend({ styles: { root: { borderRadius: "var(--mantine-radius-md)" } } }),
  },
});

// Mantine's shades of dimmed and light-variant texts miss the contrast of 4.5 to 1 (WCAG 1.4.3) on a light page.
const tints = ["red", "green", "orange", "yellow", "gray", "blue", "signal"] as const;

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#5b6470",
    "--mantine-color-placeholder": "#6b7480",
    "--mantine-color-error": "var(--mantine-color-red-9)",
    ...Object.fromEntries(
      tints.map((name) => [`--mantine-color-${name}-light-color`, `var(--tint-${name}, var(--mantine-color-${name}-9))`]),
    ),
    "--tint-green": "#1b6e2c",
    "--tint-orange": "#a33c00",
    "--tint-yellow": "#7a5200",
    "--tint-red": "#b42318",
  },
  dark: {
    "--mantine-color-dimmed": "#a3a8ae",
    "--mantine-color-placeholder": "#8d9298",
    "--mantine-color-error": "var(--mantine-color-red-4)",
  },
});
