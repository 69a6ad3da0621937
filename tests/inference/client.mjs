// Asks a worker with @huggingface/inference and prints what came as JSON. The environment names where the package is
// installed; the arguments are: URL CALL ARGUMENTS (JSON). A call that ends in "Stream" gives a list of its parts.
import path from "node:path";
import { pathToFileURL } from "node:url";

const home = path.join(process.env.HEARTH_NODE_HOME, "node_modules/@huggingface/inference/dist/esm/index.js");
const { InferenceClient } = await import(pathToFileURL(home));
const [url, call, text] = process.argv.slice(2);
const client = new InferenceClient(process.env.HEARTH_TOKEN, { endpointUrl: url });
const made = client[call](JSON.parse(text));
if (call.endsWith("Stream")) {
  const parts = [];
  for await (const part of made) parts.push(part);
  console.log(JSON.stringify(parts));
} else {
  console.log(JSON.stringify(await made));
}
