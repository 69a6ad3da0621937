// Sending bytes with progress, again and again until they arrive. XMLHttpRequest, because fetch tells nothing of what has left.
import { ApiError, csrfToken } from "../api";

export interface Sending {
  method: "PUT" | "POST";
  path: string;
  body: Blob;
  headers?: Record<string, string>;
  /** Of the page's session; addresses that carry their own signature need none. */
  withSession?: boolean;
  signal: AbortSignal;
  onProgress?: (sent: number) => void;
}

export interface Answer {
  status: number;
  text: string;
  header(name: string): string | null;
}

const STOPPED = () => new DOMException("stopped", "AbortError");

export function send(wanted: Sending): Promise<Answer> {
  return new Promise((resolve, reject) => {
    if (wanted.signal.aborted) return reject(STOPPED());
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    wanted.signal.addEventListener("abort", stop);
    const over = (work: () => void) => {
      wanted.signal.removeEventListener("abort", stop);
      work();
    };
    request.open(wanted.method, wanted.path);
    for (const [name, value] of Object.entries(wanted.headers ?? {})) request.setRequestHeader(name, value);
    if (wanted.withSession) request.setRequestHeader("X-CSRF-Token", csrfToken());
    request.upload.onprogress = (event) => wanted.onProgress?.(event.loaded);
    request.onload = () => over(() => {
      if (request.status >= 200 && request.status < 300) {
        return resolve({ status: request.status, text: request.responseText, header: (name) => request.getResponseHeader(name) });
      }
      let message = request.getResponseHeader("X-Error-Message") ?? "";
      try {
        const body = JSON.parse(request.responseText) as { error?: string; message?: string };
        message ||= body.error ?? body.message ?? "";
      } catch { /* no JSON */ }
      reject(new ApiError(message || `The hub answered ${request.status}.`, request.status));
    });
    request.onerror = () => over(() => reject(new ApiError("The connection was lost.", 0)));
    request.onabort = () => over(() => reject(STOPPED()));
    request.send(wanted.body);
  });
}

/** A moment to wait, over early when the browser comes online again. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (work: () => void) => {
      window.clearTimeout(timer);
      window.removeEventListener("online", go);
      signal.removeEventListener("abort", stop);
      work();
    };
    const go = () => end(resolve);
    const stop = () => end(() => reject(STOPPED()));
    const timer = window.setTimeout(go, milliseconds);
    window.addEventListener("online", go);
    signal.addEventListener("abort", stop);
  });
}

const WORTH_ANOTHER_TRY = (fault: unknown) =>
  fault instanceof ApiError && (fault.status === 0 || fault.status === 408 || fault.status === 429 || fault.status >= 500);

/** Tries `attempts` times with growing pauses; gives up at once for what another try would not mend. */
export async function withRetries<T>(signal: AbortSignal, attempts: number, work: () => Promise<T>, onWait?: (fault: ApiError) => void): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (fault) {
      if (!WORTH_ANOTHER_TRY(fault) || attempt >= attempts) throw fault;
      onWait?.(fault as ApiError);
      await pause(Math.min(15_000, 500 * 2 ** (attempt - 1)), signal);
    }
  }
}
