// Colours the code of a notebook's cells.
import { highlightBlock } from "../highlight";

export async function start(root: HTMLElement): Promise<void> {
  for (const code of root.querySelectorAll<HTMLElement>("code[data-code]")) await highlightBlock(code, root.dataset.language ?? "python");
}
