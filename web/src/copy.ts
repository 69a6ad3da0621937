// A copy button at every block of code, and at every element with data-copy="text".
import { toast } from "./toast";

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without TLS a page has no clipboard: the old way, by a selection.
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "visually-hidden";
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  toast("Copied");
}

export function addCopyButtons(root: ParentNode): void {
  for (const block of root.querySelectorAll<HTMLPreElement>("pre:has(> code):not([data-plain])")) {
    if (block.parentElement?.classList.contains("copyable")) continue;
    const frame = document.createElement("div");
    frame.className = "copyable";
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", () => copy((block.textContent ?? "").replace(/\n$/, "")));
    if (block.scrollWidth > block.clientWidth) block.tabIndex = 0;  // so that keys can scroll it
    block.replaceWith(frame);
    frame.append(block, button);
  }
  for (const button of root.querySelectorAll<HTMLElement>("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button.dataset.copy ?? ""));
  }
}
