// Questions before what cannot be taken back (data-confirm on a button), and buttons that wait until the right name is typed
// (data-must-equal on a field).
export function askBefore(root: Document): void {
  root.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-confirm]");
    if (button && !window.confirm(button.dataset.confirm)) event.preventDefault();
  });
  for (const field of root.querySelectorAll<HTMLInputElement>("[data-must-equal]")) {
    const button = field.form?.querySelector<HTMLButtonElement>("button");
    if (!button) continue;
    const check = () => { button.disabled = field.value.trim() !== field.dataset.mustEqual; };
    field.addEventListener("input", check);
    check();
  }
}
