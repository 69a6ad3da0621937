// Requests to this hub. Errors carry the hub's own sentence.
export class ApiError extends Error {
  constructor(message: string, readonly status: number) {
    super(message);
  }
}

/** The token that proves that a request comes from a page of this hub; "" when nobody is signed in. */
export function csrfToken(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
}

/** Sends a request with the session; throws ApiError for every answer that is not 2xx. */
export async function request(path: string, options: RequestInit = {}): Promise<Response> {
  const headers = new Headers(options.headers);
  if (options.method && options.method !== "GET" && csrfToken()) headers.set("X-CSRF-Token", csrfToken());
  let answer: Response;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch (fault) {
    if ((fault as Error).name === "AbortError") throw fault;
    throw new ApiError("The hub does not answer. Is it running, and is the network up?", 0);
  }
  if (answer.ok) return answer;
  let message = answer.headers.get("X-Error-Message") ?? "";
  if (!message) {
    const body = (await answer.json().catch(() => ({}))) as { error?: unknown };
    message = typeof body.error === "string" ? body.error : `The hub answered ${answer.status}.`;
  }
  throw new ApiError(message, answer.status);
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await request(path, { signal })).json() as Promise<T>;
}

export async function sendJson<T>(method: string, path: string, body: unknown): Promise<T> {
  const answer = await request(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}
