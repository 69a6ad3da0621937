// One large file to the hub's large file storage (git-lfs's batch API with the Hub's multipart transfer): hash, ask, send the
// parts that are missing, finish. What has arrived stays for a week, so the same file goes on where it stopped, also after a reload.
import { ApiError } from "../api";
import { send, withRetries } from "./send";

const PART = 8 << 20;  // what a cut connection costs at most
const AT_ONCE = 3;     // parts on their way
const TRIES = 6;

export interface Place {
  /** "/owner/name", with "datasets/" or "spaces/" before it where they belong. */
  path: string;
  signal: AbortSignal;
  onHash(done: number): void;
  onSent(sent: number): void;
  onWait(reason: string): void;
}

interface Action {
  href: string;
  header?: Record<string, string>;
  stored?: Record<string, string>;
}
interface Batch {
  objects: { error?: { message: string }; actions?: { upload?: Action; verify?: Action } }[];
}

/** Only the path: behind a proxy the hub may think that it has another name than the page's. */
const local = (href: string) => {
  const url = new URL(href, window.location.href);
  return url.pathname + url.search;
};

export function hashFile(file: File, signal: AbortSignal, onProgress: (done: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./hash-worker.ts", import.meta.url), { type: "module" });
    const end = (work: () => void) => {
      worker.terminate();
      signal.removeEventListener("abort", stop);
      work();
    };
    const stop = () => end(() => reject(new DOMException("stopped", "AbortError")));
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop);
    worker.onmessage = ({ data }: MessageEvent<{ done?: number; hex?: string; fault?: string }>) => {
      if (data.hex) end(() => resolve(data.hex!));
      else if (data.fault) end(() => reject(new ApiError(data.fault!, 400)));
      else onProgress(data.done ?? 0);
    };
    worker.onerror = () => end(() => reject(new ApiError("The file could not be hashed.", 400)));
    worker.postMessage({ file });
  });
}

async function sendParts(file: File, oid: string, upload: Action, place: Place): Promise<void> {
  const header = upload.header ?? {};
  const size = Number(header.chunk_size);
  const count = Math.ceil(file.size / size);
  const etags = new Map(Object.entries(upload.stored ?? {}).map(([part, etag]) => [Number(part), etag]));
  const sizeOf = (part: number) => Math.min(size, file.size - (part - 1) * size);
  const under = new Map<number, number>();
  let arrived = [...etags.keys()].reduce((sum, part) => sum + sizeOf(part), 0);
  const tell = () => place.onSent(arrived + [...under.values()].reduce((sum, bytes) => sum + bytes, 0));
  tell();
  const missing = Array.from({ length: count }, (_, index) => index + 1).filter((part) => !etags.has(part));
  const failed = new AbortController();
  const signal = AbortSignal.any([place.signal, failed.signal]);

  async function sendNext(): Promise<void> {
    for (let part = missing.shift(); part !== undefined; part = missing.shift()) {
      const number = part;
      const body = file.slice((number - 1) * size, number * size);
      const answer = await withRetries(signal, TRIES, () => {
        under.set(number, 0);
        return send({ method: "PUT", path: local(header[String(number)]!), body, signal, onProgress: (sent) => { under.set(number, Math.min(sent, body.size)); tell(); } });
      }, (fault) => { under.delete(number); tell(); place.onWait(fault.message); });
      under.delete(number);
      arrived += body.size;
      etags.set(number, (answer.header("ETag") ?? "").replaceAll('"', ""));
      tell();
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, missing.length) }, sendNext));
  } catch (fault) {
    failed.abort();
    throw fault;
  }
  const parts = [...etags].sort(([a], [b]) => a - b).map(([partNumber, etag]) => ({ partNumber, etag }));
  const body = new Blob([JSON.stringify({ oid, parts })], { type: "application/vnd.git-lfs+json" });
  await withRetries(place.signal, TRIES, () => send({ method: "POST", path: local(upload.href), body, signal: place.signal }), (fault) => place.onWait(fault.message));
}

/** Resolves with the file's SHA-256 when the hub has it. */
export async function sendLarge(file: File, place: Place): Promise<string> {
  const oid = await hashFile(file, place.signal, place.onHash);
  const question = JSON.stringify({ operation: "upload", transfers: ["multipart", "basic"], hash_algo: "sha256", part_bytes: PART, objects: [{ oid, size: file.size }] });
  const asked = await withRetries(place.signal, TRIES, () => send({
    method: "POST", path: `${place.path}.git/info/lfs/objects/batch`, withSession: true, signal: place.signal,
    headers: { Accept: "application/vnd.git-lfs+json", "Content-Type": "application/vnd.git-lfs+json" }, body: new Blob([question]),
  }), (fault) => place.onWait(fault.message));
  const object = (JSON.parse(asked.text) as Batch).objects[0];
  if (object?.error) throw new ApiError(object.error.message, 422);
  const upload = object?.actions?.upload;
  if (!upload) {
    place.onSent(file.size);  // the hub has this content already
    return oid;
  }
  if (upload.header?.chunk_size) {
    await sendParts(file, oid, upload, place);
  } else {
    await withRetries(place.signal, TRIES, () => send({ method: "PUT", path: local(upload.href), body: file, signal: place.signal, onProgress: place.onSent }), (fault) => place.onWait(fault.message));
  }
  const verify = object?.actions?.verify;
  if (verify) {
    await withRetries(place.signal, TRIES, () => send({ method: "POST", path: local(verify.href), signal: place.signal,
      headers: { "Content-Type": "application/vnd.git-lfs+json" }, body: new Blob([JSON.stringify({ oid, size: file.size })]) }));
  }
  return oid;
}
