import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// SB_DASHBOARD_OUT: where the build system wants the files. SB_API: a running node, for `npm run dev`.
export default defineConfig({
  base: "./",
  plugins: [react()],
  build: {
    outDir: process.env.SB_DASHBOARD_OUT ?? "build/dist",
    emptyOutDir: true,
    target: "es2020",
    manifest: "manifest.json",
    chunkSizeWarningLimit: 800,
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": process.env.SB_API ?? "http://127.0.0.1:18083" } },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"] },
});
