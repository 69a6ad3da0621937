// The builder of tokens: lines of a fine-grained one count only for that role (styles show them), and there are as many as are needed.
export function start(form: HTMLElement): void {
  const part = form.querySelector<HTMLFieldSetElement>(".scope-rows")!;
  const roles = [...form.querySelectorAll<HTMLInputElement>("[name=role]")];
  const maximum = 50;

  const rows = () => [...part.querySelectorAll<HTMLElement>(".scope-row")];
  const show = () => {
    const fine = roles.some((role) => role.checked && role.value === "fine-grained");
    part.disabled = !fine;
    if (fine && rows().every((row) => !row.querySelector("select")!.value)) rows()[0]!.querySelector("select")!.value = "user";
    if (fine) rows().forEach(dress);
  };
  const dress = (row: HTMLElement) => {
    const kind = row.querySelector<HTMLSelectElement>("select")!.value;
    const name = row.querySelector<HTMLInputElement>("input")!;
    name.disabled = kind === "" || kind === "everything";
    row.querySelectorAll("select")[1]!.disabled = kind === "";
  };

  const more = part.querySelector<HTMLButtonElement>("[data-more]")!;
  more.addEventListener("click", () => {
    const number = rows().length;
    if (number >= maximum) return;
    const row = rows()[0]!.cloneNode(true) as HTMLElement;
    for (const field of row.querySelectorAll<HTMLInputElement | HTMLSelectElement>("input, select")) {
      field.name = field.name.replace(/\d+$/, String(number));
      field.setAttribute("aria-label", (field.getAttribute("aria-label") ?? "").replace(/\d+$/, String(number + 1)));
      if (field instanceof HTMLInputElement) field.value = "";
      else field.selectedIndex = 0;
    }
    rows().at(-1)!.after(row);
    dress(row);
    row.querySelector("select")!.focus();
  });
  part.addEventListener("change", (event) => {
    const row = (event.target as Element).closest<HTMLElement>(".scope-row");
    if (row) dress(row);
  });
  for (const role of roles) role.addEventListener("change", show);
  show();
}
