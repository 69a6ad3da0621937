// Formulas by KaTeX. It builds elements (styles by the DOM, no HTML text), trusts nothing, and shows what it cannot read as it was written.
import katex from "katex";
import "katex/dist/katex.css";

export function draw(place: HTMLElement): void {
  const fenced = place.matches("code.language-math");
  const target = fenced ? document.createElement("div") : place;
  const tex = place.textContent ?? "";
  const display = fenced || place.classList.contains("display");
  try {
    katex.render(tex, target, { displayMode: display, throwOnError: true, trust: false, maxExpand: 500, maxSize: 20 });
  } catch {
    return;
  }
  target.className = display ? "math display drawn" : "math drawn";
  if (fenced) (place.closest(".copyable") ?? place.closest("pre"))!.replaceWith(target);
}
