// Numbered source: colours, and a choice of lines that the address keeps (#L5, #L5-L9; shift-click for a range).
import { highlightLines } from "../highlight";

function chosen(): [number, number] | undefined {
  const match = /^#L(\d+)(?:-L?(\d+))?$/.exec(location.hash);
  if (!match) return undefined;
  const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
  return from <= to ? [from, to] : [to, from];
}

export async function start(table: HTMLElement): Promise<void> {
  const rows = [...table.querySelectorAll<HTMLTableRowElement>("tr")];
  const first = Number(table.dataset.first ?? 1);
  const mark = (scroll: boolean) => {
    const range = chosen();
    rows.forEach((row, index) => row.classList.toggle("chosen", !!range && index + first >= range[0] && index + first <= range[1]));
    if (!range) return;
    const row = rows[range[0] - first];
    if (scroll) row?.scrollIntoView({ block: "center" });
    // The line stands on another page of a long text.
    if (!row && range[0] <= Number(table.dataset.count ?? 0)) {
      const address = new URL(location.href);
      address.searchParams.set("line", String(range[0]));
      location.replace(address);
    }
  };
  table.addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>(".at a");
    const range = chosen();
    if (!link || !event.shiftKey || !range) return;
    event.preventDefault();
    const to = Number(link.hash.slice(2));
    history.replaceState(null, "", `#L${Math.min(range[0], to)}-L${Math.max(range[0], to)}`);
    mark(false);
  });
  window.addEventListener("hashchange", () => mark(false));
  mark(true);
  const cells = rows.map((row) => row.lastElementChild as HTMLElement);
  const lines = await highlightLines(cells.map((cell) => cell.textContent ?? "").join("\n"), table.dataset.language ?? "");
  if (lines?.length === cells.length) cells.forEach((cell, index) => cell.replaceChildren(lines[index]!));
  table.classList.toggle("coloured", !!lines);
}
