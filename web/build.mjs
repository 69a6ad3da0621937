// Builds the site's scripts and styles: node web/build.mjs OUTPUT_FOLDER [EMBEDDED_SOURCE]
//
// With the second argument also writes the C++ source that puts every built file into the program, as
// `const hearth::EmbeddedFile kSiteFiles[]`, each with a Brotli and a gzip form beside it (name.br, name.gz) where that is
// smaller. Packages come from .deps/site/node_modules (script/bootstrap), which web/node_modules then leads to.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import zlib from "node:zlib";

const web = path.dirname(fileURLToPath(import.meta.url));
const [output, source] = process.argv.slice(2).map((name) => path.resolve(name));

function findPackages() {
  const link = path.join(web, "node_modules");
  if (fs.existsSync(path.join(link, "vite"))) return;
  const deps = process.env.HEARTH_DEPS ?? path.join(web, "..", ".deps");
  const packages = path.join(deps, "site", "node_modules");
  if (!fs.existsSync(path.join(packages, "vite"))) {
    console.error("web/build.mjs: the site's packages are missing; run script/bootstrap");
    process.exit(1);
  }
  fs.rmSync(link, { force: true, recursive: true });
  fs.symlinkSync(fs.realpathSync(packages), link);
}

function compress(bytes) {
  const brotli = zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  return { ".br": brotli, ".gz": zlib.gzipSync(bytes, { level: 9 }) };
}

// The rows of the table, and the assembly that takes the bytes of each file.
function embed(folder) {
  const names = fs.readdirSync(folder).filter((name) => !/\.(br|gz)$/.test(name)).sort();
  const files = [];
  for (const name of names) {
    const bytes = fs.readFileSync(path.join(folder, name));
    files.push(name);
    if (/\.(woff2?|png|json)$/.test(name)) continue;
    for (const [ending, small] of Object.entries(compress(bytes))) {
      if (small.length >= bytes.length * 0.95) continue;
      fs.writeFileSync(path.join(folder, name + ending), small);
      files.push(name + ending);
    }
  }
  const label = (index) => `kSiteFiles_${index}`;
  const assembly = files.map((name, index) =>
    `asm(".section .rodata\\n.globl ${label(index)}\\n${label(index)}:\\n.incbin \\"${path.join(folder, name)}\\"\\n` +
    `.globl ${label(index)}_end\\n${label(index)}_end:\\n.byte 0\\n.text\\n");\n` +
    `extern "C" const char ${label(index)}[];\nextern "C" const char ${label(index)}_end[];\n`);
  const rows = files.map((name, index) => `    {"${name}", ${label(index)}, ${label(index)}_end},\n`);
  return `#include "server/pages/embedded_file.h"\n${assembly.join("")}namespace hearth {\n` +
    `extern const EmbeddedFile kSiteFiles[];\nconst EmbeddedFile kSiteFiles[] = {\n${rows.join("")}` +
    `    {nullptr, nullptr, nullptr},\n};\n}  // namespace hearth\n`;
}

findPackages();
const vite = path.join(web, "node_modules", "vite", "bin", "vite.js");
execFileSync(process.execPath, [vite, "build", "--logLevel", "warn", "--outDir", output], { cwd: web, stdio: "inherit" });
if (source) fs.writeFileSync(source, embed(output));
