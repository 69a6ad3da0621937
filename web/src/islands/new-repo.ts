// Says while a name is typed whether a repository can have it.
import { getJson } from "../api";

export function start(form: HTMLElement): void {
  const owner = form.querySelector<HTMLSelectElement>("[name=owner]")!;
  const name = form.querySelector<HTMLInputElement>("[name=name]")!;
  const state = form.querySelector<HTMLElement>("#name-state")!;
  const rule = state.textContent ?? "";
  let timer: number | undefined;
  let running: AbortController | undefined;

  async function check(): Promise<void> {
    running?.abort();
    const text = name.value.trim();
    state.classList.remove("good-text", "bad-text");
    name.setCustomValidity("");
    if (!text) {
      state.textContent = rule;
      return;
    }
    running = new AbortController();
    const query = new URLSearchParams({ type: form.dataset.type ?? "model", owner: owner.value, name: text });
    try {
      const answer = await getJson<{ ok: boolean; message: string }>(`/api/hearth/name-check?${query}`, running.signal);
      state.textContent = answer.message;
      state.classList.add(answer.ok ? "good-text" : "bad-text");
      name.setCustomValidity(answer.ok ? "" : answer.message);
    } catch {
      state.textContent = rule;  // the form itself says it when it is sent
    }
  }

  const soon = () => {
    name.setCustomValidity("");  // of what was typed before: the hub judges the rest
    window.clearTimeout(timer);
    timer = window.setTimeout(check, 150);
  };
  name.addEventListener("input", soon);
  owner.addEventListener("change", soon);
  if (name.value) soon();
}
