// The form of a decision note: the draft of "why" is about what was chosen, as long as nobody has written into it.
import { getJson } from "../api";

export function start(form: HTMLElement): void {
  const why = form.querySelector<HTMLTextAreaElement>("[name=why]")!;
  const said = form.querySelector<HTMLElement>("[data-draft-said]")!;
  let draft = why.value;
  let running: AbortController | undefined;

  async function redraft(chosen: HTMLInputElement): Promise<void> {
    running?.abort();
    if (why.value !== draft) {
      said.textContent = "Your text stays as it is.";
      return;
    }
    if (!chosen.value) {
      why.value = draft = "";
      said.textContent = "";
      return;
    }
    const asked = (running = new AbortController());
    said.textContent = "Reading …";
    try {
      const answer = await getJson<{ why: string }>(chosen.dataset.draft!, asked.signal);
      // Somebody may have begun to write meanwhile.
      if (why.value === draft) why.value = draft = answer.why;
      said.textContent = "Drafted from what was found.";
    } catch {
      if (!asked.signal.aborted) said.textContent = "The draft could not be read.";
    }
  }
  form.addEventListener("change", (event) => {
    const target = event.target as HTMLInputElement;
    if (target.name === "chosen") void redraft(target);
  });
}
