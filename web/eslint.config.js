import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["build/", "src/api/schema.d.ts"] },
  js.configs.recommended,
  ...ts.configs.recommended,
  {
    plugins: { "react-hooks": hooks },
    rules: { ...hooks.configs.recommended.rules, eqeqeq: "error", "no-console": "error" },
  },
  {
    files: ["scripts/**", "e2e/**"],
    languageOptions: {
      globals: Object.fromEntries(
        ["process", "console", "document", "window", "localStorage", "URL", "fetch"].map((name) => [name, "readonly"]),
      ),
    },
    rules: { "no-console": "off" },
  },
);
