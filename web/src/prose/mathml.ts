// From KaTeX's tree of MathML to elements that browsers draw today, which is MathML Core: letters of other alphabets are characters
// of their own, and how a table is aligned, spaced and ruled is said by styles of its cells.

/** A node of KaTeX's tree: an element, text, a list of nodes, or a space. */
export interface MathPart {
  type?: string;
  attributes?: Record<string, string>;
  children?: MathPart[];
  text?: string;
  character?: string | null;
  width?: number;
}

const tokens = new Set(["mi", "mn", "mo", "mtext", "annotation"]);

export function mathElement(parts: MathPart[], tex: string, display: boolean): Element {
  const math = make("math");
  if (display) math.setAttribute("display", "block");
  const row = make("mrow");
  row.append(...parts.flatMap((part) => nodesOf(part, false)));
  const source = make("annotation");
  source.setAttribute("encoding", "application/x-tex");
  source.textContent = tex;
  const both = make("semantics");
  both.append(row, source);
  math.append(both);
  return math;
}

const make = (name: string) => document.createElementNS("http://www.w3.org/1998/Math/MathML", name) as MathMLElement;

function nodesOf(part: MathPart, inToken: boolean): Node[] {
  if (part.attributes) return [elementOf(part)];
  if (part.children) return part.children.flatMap((child) => nodesOf(child, inToken));
  const text = part.text ?? part.character;
  if (text === undefined || text === null) {
    const space = make("mspace");
    space.setAttribute("width", `${part.width ?? 0}em`);
    return [space];
  }
  if (inToken) return [document.createTextNode(text)];
  const word = make("mtext");
  word.textContent = text;
  return [word];
}

function elementOf(part: MathPart): MathMLElement {
  const name = part.type!;
  const element = make(name);
  for (const [key, value] of Object.entries(part.attributes!)) {
    if (key === "style") setStyles(element, value);
    else if (key === "width" && /%$/.test(value)) element.style.width = value;
    else if (key !== "mathvariant" || value === "normal") element.setAttribute(key, value);
  }
  element.append(...(part.children ?? []).flatMap((child) => nodesOf(child, tokens.has(name))));
  element.normalize();
  const alphabet = part.attributes!.mathvariant;
  if (alphabet && alphabet !== "normal") {
    if (name === "mtext") dressWord(element, alphabet);
    else element.textContent = [...(element.textContent ?? "")].map((letter) => letterOf(letter, alphabet)).join("");
  }
  if (name === "mtable") dressTable(element, part.attributes!);
  if (name === "mpadded") dressBox(element);
  spaceFunctions(element);
  return element;
}

// Room around is written as a difference ("+6pt"), which browsers read as the size itself.
function dressBox(element: MathMLElement): void {
  const room = ["width", "height"].filter((key) => element.getAttribute(key)?.startsWith("+"));
  if (room.length === 0) return;
  for (const key of ["width", "height", "lspace", "voffset"]) element.removeAttribute(key);
  element.style.padding = ".3em";
}

// TeX sets names of functions apart from letters and numbers beside them; browsers do so for operators only.
const applied = "\u2061";
function spaceFunctions(row: MathMLElement): void {
  for (const name of [...row.children]) {
    const call = name.nextElementSibling?.textContent === applied ? name.nextElementSibling : undefined;
    const limits = /^munder/.test(name.localName) && name.firstElementChild?.localName === "mi" && (name.firstElementChild.textContent ?? "").length > 1;
    if (!(call && name.localName === "mi") && !limits) continue;
    const before = name.previousElementSibling, end = call ?? name, after = end.nextElementSibling;
    const thin = () => {
      const space = make("mspace");
      space.setAttribute("width", "0.1667em");
      return space;
    };
    const isOpening = (element: Element) => element.localName === "mo" || /^[([{|]/.test(element.textContent ?? "");
    if (before && before.localName !== "mo" && before.localName !== "mspace") name.before(thin());
    if (after && !isOpening(after)) end.after(thin());
  }
}

/** By the DOM, which the policy of the page allows; attributes would be styles of the author. */
function setStyles(element: MathMLElement, text: string): void {
  for (const rule of text.split(";")) {
    const [property, value] = rule.split(":").map((side) => side.trim());
    if (property && value) element.style.setProperty(property, value);
  }
}

function dressWord(element: MathMLElement, alphabet: string): void {
  if (alphabet.includes("bold")) element.style.fontWeight = "bold";
  if (alphabet.includes("italic")) element.style.fontStyle = "italic";
  if (alphabet.includes("sans")) element.style.fontFamily = "var(--sans, sans-serif)";
  if (alphabet === "monospace") element.style.fontFamily = "var(--mono, monospace)";
}

// Each alphabet: where A is (a follows after Z), the digit 0 and the capital Alpha; 0 = it has none.
const alphabets: Record<string, [number, number, number]> = {
  bold: [0x1d400, 0x1d7ce, 0x1d6a8], italic: [0x1d434, 0, 0x1d6e2], "bold-italic": [0x1d468, 0, 0x1d71c], script: [0x1d49c, 0, 0],
  "bold-script": [0x1d4d0, 0, 0], fraktur: [0x1d504, 0, 0], "bold-fraktur": [0x1d56c, 0, 0], "double-struck": [0x1d538, 0x1d7d8, 0],
  "sans-serif": [0x1d5a0, 0x1d7e2, 0], "bold-sans-serif": [0x1d5d4, 0x1d7ec, 0x1d756], "sans-serif-italic": [0x1d608, 0, 0],
  "sans-serif-bold-italic": [0x1d63c, 0, 0x1d790], monospace: [0x1d670, 0x1d7f6, 0],
};
// Letters that had a place before the alphabets got theirs.
const earlier: Record<string, string> = {
  "italic h": "ℎ", "script B": "ℬ", "script E": "ℰ", "script F": "ℱ", "script H": "ℋ", "script I": "ℐ", "script L": "ℒ", "script M": "ℳ", "script R": "ℛ",
  "script e": "ℯ", "script g": "ℊ", "script o": "ℴ", "fraktur C": "ℭ", "fraktur H": "ℌ", "fraktur I": "ℑ", "fraktur R": "ℜ", "fraktur Z": "ℨ",
  "double-struck C": "ℂ", "double-struck H": "ℍ", "double-struck N": "ℕ", "double-struck P": "ℙ", "double-struck Q": "ℚ", "double-struck R": "ℝ", "double-struck Z": "ℤ",
};

export function letterOf(letter: string, alphabet: string): string {
  const known = earlier[`${alphabet} ${letter}`];
  const [latin, digit, greek] = alphabets[alphabet] ?? [0, 0, 0];
  if (known || !latin) return known ?? letter;
  const code = letter.codePointAt(0)!;
  if (code >= 0x41 && code <= 0x5a) return String.fromCodePoint(latin + code - 0x41);
  if (code >= 0x61 && code <= 0x7a) return String.fromCodePoint(latin + 26 + code - 0x61);
  if (digit && code >= 0x30 && code <= 0x39) return String.fromCodePoint(digit + code - 0x30);
  if (greek && code >= 0x391 && code <= 0x3a9) return String.fromCodePoint(greek + code - 0x391);
  if (greek && code >= 0x3b1 && code <= 0x3c9) return String.fromCodePoint(greek + 26 + code - 0x3b1);
  return letter;
}

const half = (length: string | undefined, more = 0) => (length ? `${(parseFloat(length) + more) / 2}em` : "");
// Between rows KaTeX counts on the leading that other layouts give each of them.
const leading = 0.3;

function dressTable(table: MathMLElement, said: Record<string, string>): void {
  // The last word of each list counts for all columns after it.
  const list = (key: string) => (said[key] ?? "").split(" ").filter(Boolean);
  const [aligns, gaps, lines, rules] = [list("columnalign"), list("columnspacing"), list("columnlines"), list("rowlines")];
  const at = (words: string[], index: number) => words[Math.min(index, words.length - 1)];
  const rows = [...table.children];
  rows.forEach((row, y) => {
    const cells = [...row.children] as MathMLElement[];
    cells.forEach((cell, x) => {
      const style = cell.style;
      style.textAlign = at(aligns, x) ?? "";
      if (gaps.length > 0) {
        style.paddingLeft = x === 0 ? "0" : half(at(gaps, x - 1));
        style.paddingRight = x === cells.length - 1 ? "0" : half(at(gaps, x));
      }
      if (said.rowspacing) {
        style.paddingTop = y === 0 ? "0" : half(said.rowspacing, leading);
        style.paddingBottom = y === rows.length - 1 ? "0" : half(said.rowspacing, leading);
      }
      if (x < cells.length - 1 && /solid|dashed/.test(at(lines, x) ?? "")) style.borderRight = `1px ${at(lines, x)} currentColor`;
      if (y < rows.length - 1 && /solid|dashed/.test(at(rules, y) ?? "")) style.borderBottom = `1px ${at(rules, y)} currentColor`;
    });
  });
}
