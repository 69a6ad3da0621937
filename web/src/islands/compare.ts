// The picker of the comparison suggests names while one is typed, and the switch works without a new page.
import { getJson } from "../api";
import { el } from "../dom";

interface Answer {
  models?: { id: string }[];
  datasets?: { id: string }[];
  spaces?: { id: string }[];
}

function switchRows(): void {
  const link = document.querySelector<HTMLAnchorElement>("[data-compare-toggle]");
  const table = document.getElementById("comparison");
  if (!link || !table) return;
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const here = location.pathname + location.search;
    const only = table.classList.toggle("only-differences");
    history.replaceState(null, "", link.getAttribute("href")!);
    link.setAttribute("href", here);
    link.textContent = only ? "Show all rows" : "Only what differs";
  });
}

export function start(form: HTMLElement): void {
  switchRows();
  const field = form.querySelector<HTMLInputElement>("input[list]")!;
  const list = form.querySelector<HTMLDataListElement>("datalist")!;
  let running: AbortController | undefined;
  let timer: number | undefined;

  async function suggest(): Promise<void> {
    running?.abort();
    const text = field.value.trim().replace(/^(models|datasets|spaces)\//, "");
    if (text.length < 2) return;
    running = new AbortController();
    let answer: Answer;
    try {
      answer = await getJson<Answer>(`/api/quicksearch?q=${encodeURIComponent(text)}&limit=6`, running.signal);
    } catch {
      return;
    }
    const names = (["models", "datasets", "spaces"] as const).flatMap((kind) => (answer[kind] ?? []).map(({ id }) => `${kind}/${id}`));
    list.replaceChildren(...names.map((value) => el("option", { value })));
  }
  field.addEventListener("input", () => {
    window.clearTimeout(timer);
    // A suggestion was chosen: it is a whole name.
    if ([...list.options].some((option) => option.value === field.value)) return;
    timer = window.setTimeout(suggest, 120);
  });
  if (field.value) void suggest();
}
