// Words and pieces that all sections of the inspector share: how well something is known, and where it stands.
import { el } from "../dom";

export type Level = "proved" | "declared" | "inferred" | "missing";
export interface Evidence {
  file?: string;
  place?: string;
  rule?: string;
  repo?: string;
}
export interface Finding<T = unknown> {
  value: T | null;
  level: Level;
  evidence: Evidence[];
}
/** The repository that is looked at. */
export interface Subject {
  api: string;   // /api/hearth/models/ns/name
  path: string;  // /ns/name
  commit: string;
  asked?: string;  // the revision in the page's address
}

export const icon = (name: string): SVGSVGElement => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `/static/icons.svg#${name}`);
  svg.append(use);
  return svg;
};

const tones: Record<string, string> = { proved: "good", declared: "info", inferred: "warn", found: "good", thin: "warn", ok: "good", duty: "info",
  warning: "warn", conflict: "bad", safe: "good", caution: "warn", suspicious: "warn", unsafe: "bad", runs: "good", "with-plugin": "info",
  "after-conversion": "warn", fits: "good", tight: "warn", partial: "warn", no: "bad", permissive: "good", restricted: "warn", "research-only": "bad" };

export function badge(word: string): HTMLElement {
  return el("span", { className: `badge ${tones[word.replaceAll(" ", "-")] ?? ""}` }, word.replaceAll("-", " ").replaceAll("_", " "));
}

const encode = (path: string) => path.split("/").map(encodeURIComponent).join("/");

/** The address of a place: a line of a file of the repository, or another repository. */
function addressOf(item: Evidence, subject: Subject): string | undefined {
  if (item.repo) {
    const [id, commit] = item.repo.split("@");
    if (!id) return undefined;
    return item.file ? `/${encode(id)}/blob/${commit || "main"}/${encode(item.file)}` : `/${encode(id)}`;
  }
  if (!item.file) return undefined;
  const line = /^line (\d+)/.exec(item.place ?? "")?.[1];
  return `${subject.path}/blob/${subject.commit}/${encode(item.file)}${line ? `${item.file.endsWith(".md") ? "?plain=1" : ""}#L${line}` : ""}`;
}

export function evidence(items: Evidence[] | undefined, subject: Subject): HTMLElement | null {
  if (!items || items.length === 0) return null;
  return el("details", { className: "evidence" }, el("summary", {}, `${items.length} place${items.length === 1 ? "" : "s"}`), el("ul", {}, ...items.map((item) => {
    const href = addressOf(item, subject);
    const where = [item.repo, item.file].filter(Boolean).join(" ") || "the repository";
    return el("li", {}, href ? el("a", { href }, where) : where, item.place ? el("code", {}, item.place) : null, item.rule ? el("span", { className: "soft" }, item.rule) : null);
  })));
}

/** "adapter_only" -> "adapter only" */
export const plain = (word: string) => word.replaceAll("_", " ").replaceAll("-", " ");

export const missing = () => el("span", { className: "badge" }, "missing");

export function table(head: string[], rows: (HTMLElement | string | null)[][]): HTMLElement {
  return el("div", { className: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, ...head.map((title) => el("th", { scope: "col" }, title)))),
    el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map((cell) => el("td", {}, cell)))))));
}
