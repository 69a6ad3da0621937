// Asks the compared models the same thing, one after the other so that neither takes the other's time, and shows the answers side by side.
import { duration, el } from "../dom";
import { post, questionOf } from "../widget/ask";
import { picture } from "../widget/pictures";

export function start(section: HTMLElement): void {
  const task = section.dataset.task!;
  const form = section.querySelector("form")!;
  const submit = form.querySelector<HTMLButtonElement>("button:not([name])")!;
  const stop = form.querySelector<HTMLButtonElement>("button[name=stop]")!;
  let running: AbortController | undefined;

  async function ask(box: HTMLElement, inputs: string, signal: AbortSignal): Promise<void> {
    const place = box.querySelector<HTMLElement>(".answer")!;
    const timing = box.querySelector<HTMLElement>(".timing")!;
    const question = questionOf(task, { inputs });
    const began = performance.now();
    place.replaceChildren(el("p", { className: "soft" }, "Asking \u2026"));
    try {
      const answer = await post(box.dataset.path!, question, signal, (now) => {
        if (now.state === "loading") place.replaceChildren(el("p", { className: "soft" }, "Loading the model \u2026"));
      });
      place.replaceChildren(picture(task, await answer.json(), question.body));
      const computed = Number(answer.headers.get("x-compute-time"));
      const seconds = computed > 0 ? computed : (performance.now() - began) / 1000;
      timing.textContent = duration(seconds);
    } catch (fault) {
      place.replaceChildren(el("p", { className: signal.aborted ? "soft" : "notice bad" }, signal.aborted ? "Stopped." : (fault as Error).message));
    }
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (running) return;
    running = new AbortController();
    submit.disabled = true;
    stop.hidden = false;
    const inputs = String(new FormData(form).get("inputs"));
    const boxes = [...section.querySelectorAll<HTMLElement>("[data-path]")];
    for (const box of boxes) box.querySelector(".timing")!.textContent = "";
    for (const box of boxes) await ask(box, inputs, running.signal);
    running = undefined;
    submit.disabled = false;
    stop.hidden = true;
  });
  stop.addEventListener("click", () => running?.abort());
  submit.disabled = false;
}
