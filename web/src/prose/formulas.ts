// Formulas: KaTeX reads the TeX, the browser lays the MathML out. Nothing of it is trusted (no links, pictures, styles of the author),
// what cannot be read stays as it was written, and what is copied is the TeX.
//
// A page that begins with formulas has this as a script that painting waits for: what stands in its first window is drawn by then, and
// nothing moves afterwards. The others are drawn when they come near (islands/prose.ts).
import { buildExpression } from "katex-source/buildMathML";
import Options from "katex-source/Options";
import parseTree from "katex-source/parseTree";
import Settings from "katex-source/Settings";
import Style from "katex-source/Style";
import { mathElement, type MathPart } from "./mathml";

/** Draws one that is still TeX, in place. */
export function draw(place: HTMLElement): void {
  if (place.classList.contains("drawn") || !place.isConnected) return;
  const fenced = place.matches("code.language-math");
  const tex = (place.textContent ?? "").trim();
  const display = fenced || place.classList.contains("display");
  let formula: Element;
  try {
    formula = mathElement(read(tex, display), tex, display);
  } catch {
    return;
  }
  const target = fenced ? document.createElement("div") : place;
  target.replaceChildren(formula);
  target.className = display ? "math display drawn" : "math drawn";
  if (fenced) (place.closest(".copyable") ?? place.closest("pre"))!.replaceWith(target);
}

function read(tex: string, displayMode: boolean): MathPart[] {
  const settings = new Settings({ displayMode, trust: false, maxExpand: 500, maxSize: 20, strict: "ignore" });
  const { maxSize, minRuleThickness, strict } = settings;
  const options = new Options({ style: displayMode ? Style.DISPLAY : Style.TEXT, maxSize, minRuleThickness, strict });
  return buildExpression(parseTree(tex, settings), options) as MathPart[];
}

// Twice the window: what is drawn may be lower than its TeX, and what follows then moves up.
[...document.querySelectorAll<HTMLElement>(".math, code.language-math")]
  .filter((place) => place.getBoundingClientRect().top < 2 * window.innerHeight).forEach(draw);

// A selection that holds formulas is copied as text with the TeX of each in it.
document.addEventListener("copy", (event) => {
  const selection = document.getSelection();
  if (!selection || selection.isCollapsed || selection.rangeCount === 0 || !event.clipboardData) return;
  const range = selection.getRangeAt(0).cloneRange();
  const formulaAt = (node: Node) => (node instanceof Element ? node : node.parentElement)?.closest(".math.drawn");
  const [first, last] = [formulaAt(range.startContainer), formulaAt(range.endContainer)];
  if (first) range.setStartBefore(first);
  if (last) range.setEndAfter(last);
  const copied = range.cloneContents();
  const formulas = copied.querySelectorAll(".math.drawn");
  if (formulas.length === 0) return;
  formulas.forEach((formula) => {
    const tex = formula.querySelector("annotation")?.textContent ?? "";
    formula.replaceWith(formula.classList.contains("display") ? `\n$$\n${tex}\n$$\n` : `$${tex}$`);
  });
  // Paragraphs are told apart by what is laid out: the copy is for a moment, out of sight.
  const holder = document.createElement("div");
  holder.className = "copied-text";
  holder.append(copied);
  document.body.append(holder);
  event.clipboardData.setData("text/plain", holder.innerText);
  holder.remove();
  event.preventDefault();
});
