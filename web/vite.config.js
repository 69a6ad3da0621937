import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

// One entry for every page; what few pages need is an island, a chunk of its own that main.ts imports when a page asks
// for it. All files lie flat below /static/, named by their content.
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "/static/",
  publicDir: "static",
  build: {
    target: "es2022",
    cssTarget: "chrome123",
    assetsDir: "",
    assetsInlineLimit: 0,
    manifest: "manifest.json",
    modulePreload: false,
    emptyOutDir: true,
    reportCompressedSize: false,
    rollupOptions: { input: { main: "src/main.ts" } },
  },
});
