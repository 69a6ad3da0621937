// Menus are <details class="menu">: they open without scripts. This closes them on Esc, on a click elsewhere and when another opens.
export function closeMenus(): void {
  const open = () => document.querySelectorAll<HTMLDetailsElement>("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target as Node)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  });
}

/** On a narrow screen the tabs of a repository and of settings scroll: the open one is brought into view. */
export function showOpenTab(): void {
  for (const tabs of document.querySelectorAll<HTMLElement>(".tabs, .side-nav")) {
    const open = tabs.querySelector<HTMLElement>("[aria-current]");
    if (open) tabs.scrollLeft = open.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - open.clientWidth) / 2;
  }
}
