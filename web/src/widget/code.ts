// The request of the form as code for programs, with what is typed in it.
import type { Question } from "./ask";
import { typeOf } from "./files";

export interface Snippet {
  name: string;
  code: string;
}

function python(value: unknown, indent = ""): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}    `;
  if (Array.isArray(value)) return `[${value.map((item) => python(item, inner)).join(", ")}]`;
  return `{\n${Object.entries(value).map(([key, item]) => `${inner}${JSON.stringify(key)}: ${python(item, inner)},\n`).join("")}${indent}}`;
}

// The file lies where the program runs; its name is one that every shell and language takes as it is.
function fileSnippets(url: string, file: File): Snippet[] {
  const type = typeOf(file);
  const ending = /\.\w+$/.exec(file.name)?.[0] ?? (type.startsWith("audio/") ? ".wav" : ".png");
  const safe = file.name.replace(/\.\w+$/, "").replace(/[^\w-]+/g, "-").replace(/^-+|-+$/g, "");
  const name = (safe || (type.startsWith("audio/") ? "recording" : "picture")) + ending;
  return [
    { name: "curl", code: `curl ${url} \\\n  -H "Authorization: Bearer $HF_TOKEN" \\\n  -H "Content-Type: ${type}" \\\n  --data-binary @${name}` },
    { name: "Python", code: `import os\nimport requests\n\nwith open("${name}", "rb") as file:\n    answer = requests.post(\n        "${url}",\n        headers={\n            "Authorization": "Bearer " + os.environ["HF_TOKEN"],\n            "Content-Type": "${type}",\n        },\n        data=file,\n    )\nprint(answer.json())` },
    { name: "JavaScript", code: `import { readFile } from "node:fs/promises";\n\nconst answer = await fetch("${url}", {\n  method: "POST",\n  headers: {\n    "Authorization": "Bearer " + process.env.HF_TOKEN,\n    "Content-Type": "${type}",\n  },\n  body: await readFile("${name}"),\n});\nconsole.log(await answer.json());` },
  ];
}

export function snippets(path: string, question: Question): Snippet[] {
  const url = `${location.origin}/models${path}${question.target}`;
  if (question.file) return fileSnippets(url, question.file);
  const json = JSON.stringify(question.body);
  return [
    { name: "curl", code: `curl ${url} \\\n  -H "Authorization: Bearer $HF_TOKEN" \\\n  -H "Content-Type: application/json" \\\n  -d '${json.replaceAll("'", "'\\''")}'` },
    { name: "Python", code: `import os\nimport requests\n\nanswer = requests.post(\n    "${url}",\n    headers={"Authorization": "Bearer " + os.environ["HF_TOKEN"]},\n    json=${python(question.body, "    ")},\n)\nprint(answer.json())` },
    { name: "JavaScript", code: `const answer = await fetch("${url}", {\n  method: "POST",\n  headers: {\n    "Authorization": "Bearer " + process.env.HF_TOKEN,\n    "Content-Type": "application/json",\n  },\n  body: JSON.stringify(${JSON.stringify(question.body, null, 2).replaceAll("\n", "\n  ")}),\n});\nconsole.log(await answer.json());` },
  ];
}
