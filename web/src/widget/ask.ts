// Asking a model of this hub: questions of each task, requests that wait while the model is loaded, and streams.
import { csrfToken } from "../api";
import { typeOf } from "./files";

export type Fields = Record<string, string>;
export interface Question {
  target: string;  // below /models/{id}
  body: Record<string, unknown>;
  file?: File;  // sent as it is, in place of `body`
}
export interface ModelState {
  state: string;
  reason?: string;
  progress?: number;
  estimated_time?: number;
}

const lines = (text = "") => text.split("\n").map((line) => line.trim()).filter(Boolean);
const words = (text = "") => text.split(",").map((word) => word.trim()).filter(Boolean);

const bodies: Record<string, (fields: Fields) => Record<string, unknown>> = {
  "question-answering": (f) => ({ inputs: { question: f.question, context: f.context } }),
  "zero-shot-classification": (f) => ({ inputs: f.inputs, parameters: { candidate_labels: words(f.labels), multi_label: f.multi_label === "on" } }),
  "sentence-similarity": (f) => ({ inputs: { source_sentence: f.source_sentence, sentences: lines(f.sentences) } }),
  "text-ranking": (f) => ({ query: f.query, texts: lines(f.texts) }),
  "token-classification": (f) => ({ inputs: f.inputs, parameters: { aggregation_strategy: "simple" } }),
  "text-generation": (f) => ({ inputs: f.inputs, parameters: { max_new_tokens: Number(f.max_new_tokens) || 100 } }),
};

export function questionOf(task: string, fields: Fields): Question {
  const body = (bodies[task] ?? ((f: Fields) => ({ inputs: f.inputs })))(fields);
  return { target: task === "text-generation" ? "" : `/pipeline/${task}`, body };
}

/** A question whose input is a file. Without other tasks the model's address is enough. */
export function fileQuestion(task: string, file: File | undefined, only: boolean): Question {
  return { target: only ? "" : `/pipeline/${task}`, body: {}, file: file ?? new File([], "") };
}

const sleep = (milliseconds: number, signal: AbortSignal) => new Promise<void>((resolve, reject) => {
  const timer = window.setTimeout(resolve, milliseconds);
  signal.addEventListener("abort", () => { window.clearTimeout(timer); reject(signal.reason as Error); }, { once: true });
});

/** Follows a model until it is loaded; throws with its reason when it cannot be. */
export async function follow(path: string, signal: AbortSignal, tell: (state: ModelState) => void): Promise<void> {
  for (;;) {
    const answer = await fetch(`/api/models${path}/inference`, { signal });
    if (!answer.ok) throw new Error("The state of the model is not known.");
    const now = (await answer.json()) as ModelState;
    tell(now);
    if (now.state === "failed") throw new Error(`The model could not be loaded: ${now.reason}`);
    if (now.state === "unsupported" || now.state === "off") throw new Error(`It does not run here: ${now.reason}`);
    if (now.state !== "loading" && now.state !== "cold") return;
    await sleep(400, signal);
    if (now.state === "cold") return;  // another request is needed to wake it
  }
}

/** Tells how the model is, from a moment after the call until `signal` is aborted. */
async function watch(path: string, signal: AbortSignal, tell: (state: ModelState) => void): Promise<void> {
  try {
    for (;;) {
      await sleep(350, signal);
      const answer = await fetch(`/api/models${path}/inference`, { signal });
      if (answer.ok) tell((await answer.json()) as ModelState);
    }
  } catch {
    // The answer has come, or the hub does not answer: the request itself says so.
  }
}

/** Sends, and waits until the model is loaded and answers. */
export async function post(path: string, question: Question, signal: AbortSignal, tell: (state: ModelState) => void): Promise<Response> {
  const headers: Record<string, string> = { "Content-Type": question.file ? typeOf(question.file) : "application/json", "X-Wait-For-Model": "true" };
  if (csrfToken()) headers["X-CSRF-Token"] = csrfToken();
  for (;;) {
    const answered = new AbortController();
    void watch(path, answered.signal, tell);
    let answer: Response;
    try {
      answer = await fetch(`/models${path}${question.target}`, { method: "POST", headers, body: question.file ?? JSON.stringify(question.body), signal });
    } finally {
      answered.abort(new Error("answered"));
    }
    if (answer.ok) return answer;
    const fault = (await answer.json().catch(() => ({}))) as { error?: string | { message?: string }; estimated_time?: number };
    if (answer.status !== 503 || fault.estimated_time === undefined) {
      const message = typeof fault.error === "string" ? fault.error : fault.error?.message;
      throw new Error(message ?? `The hub answered ${answer.status}.`);
    }
    await follow(path, signal, tell);
  }
}

export interface StreamEvent {
  error?: string | { message?: string };
  token?: { text: string; special: boolean };
  choices?: { delta?: { content?: string } }[];
}

/** The events of a stream: "data: ..." lines, which may arrive in any pieces. */
export async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    const parts = rest.split(/\r?\n/);
    rest = parts.pop() ?? "";
    for (const line of parts) {
      if (!line.startsWith("data:")) continue;
      const data = line.slice(5).trim();
      if (data === "[DONE]") return;
      if (!data) continue;
      const event = JSON.parse(data) as StreamEvent;
      if (event.error) throw new Error(typeof event.error === "string" ? event.error : event.error.message ?? "The model failed.");
      yield event;
    }
  }
}
