// A field above a long table that leaves the rows whose text holds what is typed.
import { el } from "../dom";

export function start(table: HTMLElement): void {
  const rows = [...table.querySelectorAll<HTMLTableRowElement>("tbody tr")];
  if (rows.length < 15) return;
  const field = el("input", { type: "search", placeholder: "Filter", "aria-label": "Filter the table", className: "row-filter" });
  const count = el("span", { className: "meta", role: "status" });
  table.parentElement!.before(el("div", { className: "row-filter-bar" }, field, count));
  const texts = rows.map((row) => (row.textContent ?? "").toLowerCase());
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    let left = 0;
    rows.forEach((row, index) => {
      row.hidden = !texts[index]!.includes(wanted);
      if (!row.hidden) left += 1;
    });
    count.textContent = wanted ? `${left} of ${rows.length}` : "";
  });
}
