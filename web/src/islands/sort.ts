// Tables that sort by a click on the head of a column: down, up, as they came.
export function start(table: HTMLElement): void {
  const body = table.querySelector("tbody");
  if (!body) return;
  const original = [...body.rows];
  for (const head of table.querySelectorAll<HTMLTableCellElement>("thead th")) {
    if (!head.textContent?.trim() || head.classList.contains("at")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sorter";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const next = { none: "ascending", ascending: "descending", descending: "none" }[head.ariaSort ?? "none"] ?? "ascending";
      for (const other of table.querySelectorAll<HTMLTableCellElement>("thead th")) other.removeAttribute("aria-sort");
      if (next !== "none") head.setAttribute("aria-sort", next);
      const column = head.cellIndex;
      const value = (row: HTMLTableRowElement) => row.cells[column]?.dataset.value ?? row.cells[column]?.textContent ?? "";
      const sorted = [...original];
      const numeric = head.classList.contains("number");
      const compare = numeric
        ? (a: string, b: string) => (parseFloat(a) || 0) - (parseFloat(b) || 0)
        : new Intl.Collator(undefined, { numeric: true }).compare;
      if (next !== "none") sorted.sort((a, b) => compare(value(a), value(b)) * (next === "ascending" ? 1 : -1));
      body.replaceChildren(...sorted);
    });
  }
}
