// Suggestions below the search field of the header: repositories and people whose names begin with or contain what is typed.
import { getJson } from "../api";
import { el } from "../dom";

interface Answer {
  models?: { id: string }[];
  datasets?: { id: string }[];
  spaces?: { id: string }[];
  orgs?: { name: string }[];
  users?: { user: string }[];
}
interface Group {
  title: string;
  rows: { text: string; href: string }[];
}

function groups(answer: Answer): Group[] {
  const repos = (title: string, prefix: string, list: { id: string }[] = []) => ({
    title, rows: list.slice(0, 5).map(({ id }) => ({ text: id, href: prefix + id })),
  });
  const people = [...(answer.orgs ?? []).map(({ name }) => name), ...(answer.users ?? []).map(({ user }) => user)];
  return [
    repos("Models", "/", answer.models),
    repos("Datasets", "/datasets/", answer.datasets),
    repos("Spaces", "/spaces/", answer.spaces),
    { title: "People and organisations", rows: people.slice(0, 5).map((name) => ({ text: name, href: `/${name}` })) },
  ].filter((group) => group.rows.length > 0);
}

export function start(form: HTMLElement): void {
  const field = form.querySelector<HTMLInputElement>("input[type=search]")!;
  const list = el("div", { className: "suggestions", id: "suggestions", role: "listbox", "aria-label": "Suggestions" });
  list.hidden = true;
  form.append(list);
  for (const [name, value] of [["role", "combobox"], ["aria-controls", "suggestions"], ["aria-expanded", "false"], ["aria-autocomplete", "list"], ["autocomplete", "off"]] as const)
    field.setAttribute(name, value);
  let running: AbortController | undefined;
  let current = -1;

  const options = () => [...list.querySelectorAll<HTMLAnchorElement>("a")];
  const show = (visible: boolean) => {
    list.hidden = !visible;
    field.setAttribute("aria-expanded", String(visible));
    if (!visible) field.removeAttribute("aria-activedescendant");
  };
  const select = (index: number) => {
    const all = options();
    current = (index + all.length + 1) % (all.length + 1);  // the last place is the field itself
    all.forEach((option, number) => option.setAttribute("aria-selected", String(number === current)));
    if (all[current]) field.setAttribute("aria-activedescendant", all[current]!.id);
    else field.removeAttribute("aria-activedescendant");
  };

  async function suggest(): Promise<void> {
    running?.abort();
    const text = field.value.trim();
    if (text.length < 2) return show(false);
    running = new AbortController();
    let answer: Answer;
    try {
      answer = await getJson<Answer>(`/api/quicksearch?q=${encodeURIComponent(text)}&limit=5`, running.signal);
    } catch {
      return;
    }
    let number = 0;
    const rows = groups(answer).flatMap((group) => [
      el("p", { className: "group", role: "presentation" }, group.title),
      ...group.rows.map((row) => el("a", { href: row.href, role: "option", id: `suggestion-${number++}`, tabindex: -1 }, row.text)),
    ]);
    rows.push(el("a", { href: `/search?q=${encodeURIComponent(text)}`, role: "option", id: `suggestion-${number++}`, tabindex: -1, className: "all" },
      `Search all texts for “${text}”`));
    list.replaceChildren(...rows);
    current = options().length;
    show(document.activeElement === field);
  }

  let timer: number | undefined;
  field.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(suggest, 120);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return show(false);
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      select(current === options().length && event.key === "ArrowDown" ? 0 : current + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && options()[current]) {
      event.preventDefault();
      options()[current]!.click();
    }
  });
  field.addEventListener("blur", () => window.setTimeout(() => show(false), 150));
  list.addEventListener("mousedown", (event) => event.preventDefault());
  // Somebody may have typed before this was loaded.
  if (document.activeElement === field) void suggest();
}
