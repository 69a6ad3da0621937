// Keys of every page: "/" goes to the search field. An element with data-key="t" is clicked, or focused, by that key; so a page
// adds its own without a script.
function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export function followKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (isWriting(event.target)) (event.target as HTMLElement).blur();
      return;
    }
    if (isWriting(event.target) || event.key.length !== 1) return;
    const named = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(event.key)}"]`);
    if (!named) return;
    event.preventDefault();
    if (/^(INPUT|TEXTAREA)$/.test(named.tagName)) named.focus();
    else named.click();
  });
}
