// What the hub says about files before they are sent, and the commit at the end.
import { sendJson } from "../api";
import { send } from "./send";

const SAMPLE = 512;      // what the hub looks at to tell text from bytes
const AT_A_TIME = 250;   // files in one question

export interface Picked {
  file: File;
  path: string;
}
export interface Plan {
  large: boolean;
  ignored: boolean;
}
/** A file whose content is at the hub already has its SHA-256. */
export interface Ready extends Picked {
  oid?: string;
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}

const read = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());

export async function planFor(api: string, revision: string, files: Picked[]): Promise<Plan[]> {
  const plans: Plan[] = [];
  for (let at = 0; at < files.length; at += AT_A_TIME) {
    const part = files.slice(at, at + AT_A_TIME);
    const asked = await Promise.all(part.map(async ({ file, path }) => ({ path, size: file.size, sample: base64(await read(file.slice(0, SAMPLE))) })));
    const answer = await sendJson<{ files: { path: string; uploadMode: string; shouldIgnore: boolean }[] }>(
      "POST", `${api}/preupload/${encodeURIComponent(revision)}`, { files: asked });
    const byPath = new Map(answer.files.map((file) => [file.path, file]));
    for (const { path } of part) plans.push({ large: byPath.get(path)?.uploadMode === "lfs", ignored: byPath.get(path)?.shouldIgnore ?? false });
  }
  return plans;
}

export interface Message {
  summary: string;
  description: string;
}

export async function commit(api: string, revision: string, message: Message, files: Ready[], signal: AbortSignal, onProgress: (sent: number, total: number) => void): Promise<string> {
  const line = (key: string, value: unknown) => new Blob([JSON.stringify({ key, value }), "\n"]);
  const lines: Blob[] = [line("header", message)];
  for (const { file, path, oid } of files) {
    lines.push(oid ? line("lfsFile", { path, algo: "sha256", oid, size: file.size })
                   : line("file", { path, encoding: "base64", content: base64(await read(file)) }));
  }
  const body = new Blob(lines);
  const answer = await send({ method: "POST", path: `${api}/commit/${encodeURIComponent(revision)}`, body, withSession: true, signal,
    headers: { "Content-Type": "application/x-ndjson" }, onProgress: (sent) => onProgress(sent, body.size) });
  return (JSON.parse(answer.text) as { commitOid: string }).commitOid;
}

