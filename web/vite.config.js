import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
// Where find_packages of build.mjs leads to.
const katex = fs.realpathSync(here("node_modules/katex")) + "/src/";

// Of KaTeX only what makes MathML: its own layout of boxes, with the fonts, their measures and the drawn delimiters that it needs, is
// three quarters of it, and browsers lay MathML out themselves. Each function of TeX registers two builders in one call; without
// the one for boxes nothing refers to the rest, and the bundler leaves it out.
const onlyMathml = {
  name: "only-mathml",
  transform: {
    order: "post",
    handler(code, id) {
      if (!id.startsWith(katex)) return;
      if (id.endsWith("/fontMetricsData.js")) return whichCharacters(code);
      const cuts = [];
      find(this.parse(code), (node) => {
        const called = node.type === "CallExpression" && /^(defineFunction|defineFunctionBuilders|defineEnvironment)$/.test(node.callee.name ?? "");
        if (!called || node.arguments[0]?.type !== "ObjectExpression") return;
        for (const property of node.arguments[0].properties) {
          if (property.key?.name === "htmlBuilder") cuts.push([property.start, property.end]);
        }
      });
      let text = code;
      for (const [from, to] of cuts.reverse()) text = `${text.slice(0, from)}htmlBuilder: undefined${text.slice(to)}`;
      return { code: text, map: null, moduleSideEffects: /\/(functions|environments|macros|symbols)/.test(id) };
    },
  },
};

function find(node, visit) {
  if (!node || typeof node.type !== "string") return;
  visit(node);
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) value.forEach((child) => find(child, visit));
    else if (value && typeof value === "object") find(value, visit);
  }
}

// MathML asks of a font only whether it has a character.
function whichCharacters(code) {
  const fonts = new Function(code.replace("export default", "return "))();
  const rows = Object.entries(fonts).map(([name, metrics]) => [name, Object.keys(metrics).map((point) => String.fromCodePoint(Number(point))).join("")]);
  return {
    code: `export default Object.fromEntries(${JSON.stringify(rows)}.map(([name, text]) => [name, Object.fromEntries([...text].map((one) => [one.codePointAt(0), [0, 0, 0, 0, 0]]))]));`,
    map: null,
  };
}

// One entry for every page; what few pages need is an island, a chunk of its own that main.ts imports when a page asks
// for it. What draws formulas is an entry as well: a page whose text begins with some asks for it before it is painted. All files lie flat below /static/, named by their content.
export default defineConfig({
  root: here("."),
  base: "/static/",
  publicDir: "static",
  plugins: [onlyMathml],
  resolve: { alias: { "katex-source": katex.slice(0, -1) } },
  build: {
    target: "es2022",
    cssTarget: "chrome123",
    assetsDir: "",
    assetsInlineLimit: 0,
    manifest: "manifest.json",
    modulePreload: false,
    emptyOutDir: true,
    reportCompressedSize: false,
    rollupOptions: { input: { main: "src/main.ts", formulas: "src/prose/formulas.ts" } },
  },
});
