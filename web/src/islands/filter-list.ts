// A field that hides the rows without its words, and the groups that are left without rows.
export function start(root: HTMLElement): void {
  const field = root.querySelector<HTMLInputElement>("[data-filter]")!;
  const groups = [...root.querySelectorAll<HTMLElement>("[data-group]")];
  const nothing = root.querySelector<HTMLElement>("[data-nothing]");
  field.hidden = false;
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const group of groups) {
      let shown = 0;
      for (const row of group.querySelectorAll<HTMLElement>("[data-row]")) {
        const text = row.textContent!.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        if (!row.hidden) shown += 1;
      }
      group.hidden = shown === 0;
      left += shown;
    }
    if (nothing) nothing.hidden = left > 0;
  });
}
