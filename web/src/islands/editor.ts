// The editor of a text file: line numbers, Tab that indents, Ctrl S, a preview of Markdown that the hub renders, fields for the
// details of a card, and a warning before unsaved text is lost. Without this file it is a plain form.
import { ApiError, sendJson } from "../api";
import { addCopyButtons } from "../copy";
import { bindCard } from "../editor/card";

function indent(text: HTMLTextAreaElement, back: boolean): void {
  const { selectionStart: from, selectionEnd: to, value } = text;
  if (!back && from === to) {
    document.execCommand("insertText", false, value.includes("\n\t") ? "\t" : "  ");
    return;
  }
  const lineStart = value.lastIndexOf("\n", from - 1) + 1;
  const block = value.slice(lineStart, to);
  const changed = back ? block.replace(/^(\t| {1,2})/gm, "") : block.replace(/^(?=.)/gm, "  ");
  text.setSelectionRange(lineStart, to);
  // execCommand keeps the browser's own undo.
  document.execCommand("insertText", false, changed);
  text.setSelectionRange(lineStart, lineStart + changed.length);
}

export function start(form: HTMLElement): void {
  const editor = form as HTMLFormElement;
  const text = editor.querySelector<HTMLTextAreaElement>("[name=content]")!;
  const path = editor.querySelector<HTMLInputElement>("[name=path]")!;
  const numbers = editor.querySelector<HTMLElement>(".line-numbers")!;
  const write = editor.querySelector<HTMLElement>("#pane-write")!;
  const preview = editor.querySelector<HTMLElement>("#pane-preview")!;
  const tabs = [...editor.querySelectorAll<HTMLButtonElement>("[role=tab]")];
  const before = text.value;
  let mayTab = false;  // Esc lets Tab leave the text, so that the keyboard is no trap
  let lines = 0;

  const number = () => {
    const now = text.value.split("\n").length;
    if (now !== lines && text.wrap === "off") numbers.textContent = Array.from({ length: now }, (_, index) => index + 1).join("\n");
    lines = now;
  };
  const isMarkdown = () => path.value.endsWith(".md");

  async function show(which: "write" | "preview"): Promise<void> {
    for (const tab of tabs) {
      const chosen = tab.id === `tab-${which}`;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    }
    write.hidden = which !== "write";
    preview.hidden = which === "write";
    if (which === "write") return text.focus();
    preview.textContent = "One moment";
    try {
      const { html } = await sendJson<{ html: string }>("POST", `${editor.dataset.api}/preview`, { text: text.value, path: path.value, revision: editor.dataset.revision });
      preview.innerHTML = html;  // the hub has made it safe, as it does for cards
      addCopyButtons(preview);
    } catch (fault) {
      preview.textContent = fault instanceof ApiError ? fault.message : String(fault);
    }
  }

  text.addEventListener("input", number);
  text.addEventListener("scroll", () => { numbers.scrollTop = text.scrollTop; });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      mayTab = true;
      event.stopPropagation();  // the page's own Esc would leave the text
    } else if (event.key === "Tab" && !mayTab) {
      event.preventDefault();
      indent(text, event.shiftKey);
    } else if (event.key !== "Shift") {
      mayTab = false;
    }
  });
  text.addEventListener("blur", () => { mayTab = false; });
  editor.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    editor.requestSubmit(editor.querySelector<HTMLButtonElement>("button[value=save]"));
  });
  for (const tab of tabs) {
    tab.addEventListener("click", () => void show(tab.id === "tab-write" ? "write" : "preview"));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const other = tabs.find((each) => each !== tab && !each.hidden);
      other?.focus();
      other?.click();
    });
  }
  editor.querySelector<HTMLInputElement>("[data-wrap]")?.addEventListener("change", (event) => {
    const wraps = (event.target as HTMLInputElement).checked;
    text.wrap = wraps ? "soft" : "off";
    numbers.hidden = wraps;  // numbers would not stand at their lines
    write.classList.toggle("wrapped", wraps);
    lines = 0;
    number();
  });
  const dress = () => {
    const previewTab = tabs.find((tab) => tab.id === "tab-preview");
    if (previewTab) previewTab.hidden = !isMarkdown();
    const helper = editor.querySelector<HTMLElement>("[data-card-helper]");
    if (helper) helper.hidden = path.value !== "README.md";
  };
  path.addEventListener("input", dress);
  dress();
  number();
  bindCard(editor, text);

  let sent = false;
  editor.addEventListener("submit", () => { sent = true; });
  window.addEventListener("beforeunload", (event) => { if (!sent && text.value !== before) event.preventDefault(); });
}
