// The field above a long table leaves the rows whose text holds what is typed.
export function start(table: HTMLElement): void {
  const bar = table.parentElement!.previousElementSibling;
  const field = bar?.querySelector<HTMLInputElement>(".row-filter");
  if (!field) return;  // of a short table
  const rows = [...table.querySelectorAll<HTMLTableRowElement>("tbody tr")];
  const count = bar!.querySelector<HTMLElement>("[role=status]")!;
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
