// "Go to file": all paths of the revision, narrowed while typing; letters need only come in order.
import { request } from "../api";
import { el } from "../dom";

const MOST_FILES = 50_000;
const MOST_SHOWN = 60;

interface Entry {
  type: string;
  path: string;
}

/** How well `wanted` fits a path, higher is better; undefined when its letters do not come in order. */
export function score(path: string, wanted: string): number | undefined {
  const text = path.toLowerCase();
  const name = text.lastIndexOf("/") + 1;
  const whole = text.indexOf(wanted);
  if (whole >= 0) return 1000 - text.length + (whole >= name ? 500 : 0) + (whole === name ? 500 : 0);
  let at = -1;
  let jumps = 0;
  for (const letter of wanted) {
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return undefined;
    if (next !== at + 1) jumps += 1;
    at = next;
  }
  return 300 - jumps * 20 - text.length;
}

async function loadPaths(first: string, told: (count: number) => void): Promise<string[]> {
  const paths: string[] = [];
  let next: string | undefined = first;
  while (next && paths.length < MOST_FILES) {
    const answer = await request(next);
    for (const entry of (await answer.json()) as Entry[]) if (entry.type === "file") paths.push(entry.path);
    told(paths.length);
    const link = /<([^>]+)>;\s*rel="next"/.exec(answer.headers.get("Link") ?? "");
    next = link ? link[1]!.replace(/^https?:\/\/[^/]+/, "") : undefined;
  }
  return paths;
}

export function start(button: HTMLElement): void {
  button.hidden = false;
  let paths: Promise<string[]> | undefined;
  const field = el("input", { type: "search", placeholder: "Part of a file's name", "aria-label": "File name", autocomplete: "off" });
  const list = el("ul", { className: "found" });
  const status = el("p", { className: "meta", role: "status" });
  const dialog = el("dialog", { className: "finder", "aria-label": "Go to file" }, field, status, list);
  document.body.append(dialog);

  async function update(): Promise<void> {
    const all = await paths!;
    const wanted = field.value.trim().toLowerCase();
    const found = wanted
      ? all.map((path) => ({ path, fits: score(path, wanted) })).filter((row) => row.fits !== undefined)
        .sort((a, b) => b.fits! - a.fits!).map((row) => row.path)
      : all;
    status.textContent = `${found.length} of ${all.length} file${all.length === 1 ? "" : "s"}`;
    list.replaceChildren(...found.slice(0, MOST_SHOWN).map((path) =>
      el("li", {}, el("a", { href: button.dataset.open + path.split("/").map(encodeURIComponent).join("/") }, path))));
  }
  button.addEventListener("click", () => {
    dialog.showModal();
    field.focus();
    paths ??= loadPaths(button.dataset.list!, (count) => { status.textContent = `Reading the list of files… ${count}`; });
    update().catch((fault: Error) => { status.textContent = fault.message; paths = undefined; });
  });
  field.addEventListener("input", () => void update());
  dialog.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    if (event.key === "ArrowDown") links[Math.min(at + 1, links.length - 1)]?.focus();
    else if (event.key === "ArrowUp") (at <= 0 ? field : links[at - 1])?.focus();
    else if (event.key === "Enter" && document.activeElement === field) links[0]?.click();
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}
