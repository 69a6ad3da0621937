import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

// KaTeX offers its fonts in three forms; every browser that this site is for reads the smallest.
const onlyWoff2 = {
  name: "only-woff2",
  enforce: "pre",
  transform(code, id) {
    if (id.includes("katex") && id.includes(".css"))
      return code.replace(/,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\(["'](?:woff|truetype)["']\)/g, "");
  },
};

// One entry for every page; what few pages need is an island, a chunk of its own that main.ts imports when a page asks
// for it. All files lie flat below /static/, named by their content.
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "/static/",
  publicDir: "static",
  plugins: [onlyWoff2],
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
