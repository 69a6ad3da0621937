// Parts of a page that move. <div data-island="name"> loads islands/name.ts, whose `start(element)` takes over what the server has
// rendered there; nothing is loaded on pages that do not ask.
export interface Island {
  start(element: HTMLElement): void | Promise<void>;
}

const islands = import.meta.glob<Island>("./islands/*.ts");

export function startIslands(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-island]")) {
    for (const name of (element.dataset.island ?? "").split(" ")) {
      const load = islands[`./islands/${name}.ts`];
      if (!load) throw new Error(`There is no island ${name}.`);
      void load().then((island) => island.start(element));
    }
  }
}
