// Asks a worker or a hub with the npm package `ollama` and prints what came as JSON; the arguments are: HOST CALL
// ARGUMENTS (JSON). With "stream": true the answer is a list of its parts. HEARTH_NODE_HOME: where the package is.
import path from "node:path";
import { pathToFileURL } from "node:url";

const home = path.join(process.env.HEARTH_NODE_HOME, "node_modules/ollama/dist/index.mjs");
const { Ollama } = await import(pathToFileURL(home));
const [host, call, text] = process.argv.slice(2);
const headers = process.env.HEARTH_TOKEN ? { Authorization: `Bearer ${process.env.HEARTH_TOKEN}` } : {};
const client = new Ollama({ host, headers });
const settings = JSON.parse(text);
const answer = await client[call](settings);
if (settings.stream) {
  const parts = [];
  for await (const part of answer) parts.push(part);
  console.log(JSON.stringify(parts));
} else {
  console.log(JSON.stringify(answer));
}
