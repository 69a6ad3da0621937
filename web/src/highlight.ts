// Colours for code: highlight.js with one language loaded at a time.
import type { LanguageFn } from "highlight.js";

const languages: Record<string, () => Promise<{ default: LanguageFn }>> = {
  bash: () => import("highlight.js/lib/languages/bash"),
  c: () => import("highlight.js/lib/languages/c"),
  cmake: () => import("highlight.js/lib/languages/cmake"),
  cpp: () => import("highlight.js/lib/languages/cpp"),
  css: () => import("highlight.js/lib/languages/css"),
  diff: () => import("highlight.js/lib/languages/diff"),
  django: () => import("highlight.js/lib/languages/django"),
  dockerfile: () => import("highlight.js/lib/languages/dockerfile"),
  go: () => import("highlight.js/lib/languages/go"),
  ini: () => import("highlight.js/lib/languages/ini"),
  java: () => import("highlight.js/lib/languages/java"),
  javascript: () => import("highlight.js/lib/languages/javascript"),
  json: () => import("highlight.js/lib/languages/json"),
  julia: () => import("highlight.js/lib/languages/julia"),
  kotlin: () => import("highlight.js/lib/languages/kotlin"),
  lua: () => import("highlight.js/lib/languages/lua"),
  makefile: () => import("highlight.js/lib/languages/makefile"),
  markdown: () => import("highlight.js/lib/languages/markdown"),
  php: () => import("highlight.js/lib/languages/php"),
  protobuf: () => import("highlight.js/lib/languages/protobuf"),
  python: () => import("highlight.js/lib/languages/python"),
  r: () => import("highlight.js/lib/languages/r"),
  ruby: () => import("highlight.js/lib/languages/ruby"),
  rust: () => import("highlight.js/lib/languages/rust"),
  scala: () => import("highlight.js/lib/languages/scala"),
  sql: () => import("highlight.js/lib/languages/sql"),
  swift: () => import("highlight.js/lib/languages/swift"),
  typescript: () => import("highlight.js/lib/languages/typescript"),
  xml: () => import("highlight.js/lib/languages/xml"),
  yaml: () => import("highlight.js/lib/languages/yaml"),
};
const aliases: Record<string, string> = {
  "c++": "cpp", console: "bash", docker: "dockerfile", html: "xml", js: "javascript", jinja: "django", jinja2: "django", jsonl: "json",
  jsx: "javascript", make: "makefile", md: "markdown", py: "python", python3: "python", rb: "ruby", rs: "rust", sh: "bash", shell: "bash",
  toml: "ini", ts: "typescript", tsx: "typescript", yml: "yaml", zsh: "bash",
};
/** Above this many characters colours cost more than they tell. */
const LONGEST = 300_000;

/** The code as coloured lines, each a fragment; undefined when the language is not known or the code too long. */
export async function highlightLines(code: string, language: string): Promise<DocumentFragment[] | undefined> {
  const name = aliases[language.toLowerCase()] ?? language.toLowerCase();
  const load = languages[name];
  if (!load || code.length > LONGEST) return undefined;
  const [{ default: hljs }, { default: definition }] = await Promise.all([import("highlight.js/lib/core"), load()]);
  if (!hljs.getLanguage(name)) hljs.registerLanguage(name, definition);
  // The library escapes what it is given; the result is read as a document of its own and copied node by node.
  const parsed = new DOMParser().parseFromString(hljs.highlight(code, { language: name, ignoreIllegals: true }).value, "text/html");
  return splitLines(parsed.body);
}

/** Cuts a tree of <span>s at its line ends, opening again on each line what was open on the one before. */
function splitLines(root: Node): DocumentFragment[] {
  const lines: DocumentFragment[] = [document.createDocumentFragment()];
  const open: HTMLSpanElement[] = [];  // on the current line
  const put = (node: Node) => (open.at(-1) ?? lines.at(-1)!).appendChild(node);
  const walk = (node: Node): void => {
    if (node.nodeType === Node.TEXT_NODE) {
      (node.textContent ?? "").split("\n").forEach((text, index) => {
        if (index > 0) {
          lines.push(document.createDocumentFragment());
          let parent: Node = lines.at(-1)!;
          open.forEach((span, depth) => {
            const again = span.cloneNode(false) as HTMLSpanElement;
            parent.appendChild(again);
            open[depth] = again;
            parent = again;
          });
        }
        if (text) put(document.createTextNode(text));
      });
      return;
    }
    const span = document.createElement("span");
    span.className = (node as Element).className;
    put(span);
    open.push(span);
    node.childNodes.forEach(walk);
    open.pop();
  };
  root.childNodes.forEach(walk);
  return lines;
}

/** Colours the text of one <code> element in place. */
export async function highlightBlock(code: HTMLElement, language: string): Promise<void> {
  const lines = await highlightLines(code.textContent ?? "", language);
  if (!lines) return;
  const whole = document.createDocumentFragment();
  lines.forEach((line, index) => whole.append(...(index > 0 ? ["\n"] : []), line));
  code.replaceChildren(whole);
  code.classList.add("coloured");
}
