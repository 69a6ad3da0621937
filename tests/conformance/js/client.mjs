// Uploads files with @huggingface/hub and reads them back. The environment names where the package is installed and
// the hub; the arguments are: upload|download REPO FOLDER PATH...
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";

const packageFile = path.join(process.env.HEARTH_NODE_HOME, "node_modules/@huggingface/hub/dist/index.mjs");
const { downloadFile, uploadFiles } = await import(pathToFileURL(packageFile));
const [step, name, folder, ...paths] = process.argv.slice(2);
const common = { repo: { type: "model", name }, hubUrl: process.env.HF_ENDPOINT };
if (process.env.HEARTH_TOKEN) common.accessToken = process.env.HEARTH_TOKEN;

if (step === "upload") {
  const files = [];
  for (const file of paths) files.push({ path: file, content: new Blob([await readFile(path.join(folder, file))]) });
  await uploadFiles({ ...common, files, useXet: true });
} else {
  for (const file of paths) {
    const blob = await downloadFile({ ...common, path: file, xet: true });
    if (blob === null) throw new Error(`${file} is not there`);
    await writeFile(path.join(folder, file), Buffer.from(await blob.arrayBuffer()));
  }
}
