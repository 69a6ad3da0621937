// What changed from one model to another: the questions, the details of each, and how far the weights moved.
import { el } from "../dom";
import { badge, evidence, missing, plain, table, type Finding, type Subject } from "./parts";

interface Value {
  pointer: string;
  before?: unknown;
  after?: unknown;
  meaning?: string;
}
export interface Changes {
  from: string;
  to: string;
  answers: Record<string, Finding<string> & { answer: string }>;
  header_changes: number;
  headers: { name: string; what: string; from_name?: string; before?: string; after?: string }[];
  config: Value[];
  generation_config: Value[];
  tokenizer: Record<string, unknown>;
  chat_template: { kind: string; text: string }[];
  vocabulary?: [number, number];
  adapter?: { method: string; rank: number; alpha: number; scale: number; targets: string[]; parameters: number; share_of_base: number };
  from_weights?: { name?: string } | null;
  to_weights?: { name?: string } | null;
}
interface Heat {
  modules: string[];
  layers: number;
  cells: (number | null)[][];
}
export interface Distance {
  relative?: number;
  compared?: number;
  equal?: number;
  skipped?: number;
  heat?: Heat;
  tensors?: { name: string; equal?: boolean; relative?: number; cosine?: number; max_abs?: number; changed?: number }[];
  adapter?: { target: string; rank: number; relative: number }[];
}

const words: Record<string, string> = { data: "Training data", weights: "Weights", precision: "Precision", format: "File format", prompt: "Prompt template",
  licence: "Licence", config: "Configuration", tokenizer: "Tokenizer" };
const tones: Record<string, string> = { changed: "warn", same: "good" };
const longest = 200;  // rows that a table shows

const short = (value: unknown) => (value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));
/** "0.31", "0.0098", "2e-7" */
const digits = (value: number | undefined) => (value === undefined ? "" : value === 0 ? "0" : Math.abs(value) < 1e-4 ? value.toExponential(1) : String(Number(value.toPrecision(2))));

function unfold(title: string, ...content: (HTMLElement | string | null)[]): HTMLElement {
  return el("details", { className: "more" }, el("summary", {}, title), ...content);
}

const code = (value: unknown) => el("code", {}, short(value).slice(0, 400));

function values(title: string, rows: Value[]): HTMLElement | null {
  if (!rows.length) return null;
  return unfold(`${title}: ${rows.length} field${rows.length === 1 ? "" : "s"}`, table(["Field", "Before", "Now", "What it means"],
    rows.slice(0, longest).map((row) => [code(row.pointer), "before" in row ? code(row.before) : "", "after" in row ? code(row.after) : "", el("span", { className: "soft" }, row.meaning ?? "")])));
}

function lines(rows: Changes["chat_template"]): HTMLElement | null {
  if (!rows.length) return null;
  return unfold("Prompt template by lines", el("div", { className: "scroll", tabindex: 0, role: "region", "aria-label": "Changes of the prompt template" },
    el("table", { className: "diff" }, el("tbody", {}, ...rows.slice(0, 1000).map((row) =>
      el("tr", { className: row.kind === "+" ? "add" : row.kind === "-" ? "del" : "same" }, el("td", { className: "line" }, row.text)))))));
}

export function changes(answer: Changes, subject: Subject): HTMLElement {
  return el("div", {},
    el("p", { className: "soft between" }, "From ", el("code", {}, answer.from.replace(/@([0-9a-f]{7})[0-9a-f]+$/, "@$1")), " to ", el("code", {}, answer.to.replace(/@([0-9a-f]{7})[0-9a-f]+$/, "@$1"))),
    el("dl", { className: "in-short" }, ...Object.entries(answer.answers).map(([question, said]) => el("div", {}, el("dt", {}, words[question] ?? plain(question)),
      el("dd", {}, el("span", { className: `badge ${tones[said.answer] ?? ""}` }, said.answer), ` ${said.value ?? ""} `, said.level === "missing" ? missing() : badge(said.level), evidence(said.evidence, subject))))),
    answer.vocabulary ? el("p", {}, `The table of tokens was resized from ${answer.vocabulary[0]} to ${answer.vocabulary[1]} rows.`) : null,
    answer.adapter ? el("p", {}, `Adapter: ${answer.adapter.method}, rank ${answer.adapter.rank}, alpha ${answer.adapter.alpha}, scale ${digits(answer.adapter.scale)}`, answer.adapter.share_of_base ? `, ${digits(100 * answer.adapter.share_of_base)} % of the base's parameters` : "",
      answer.adapter.targets.length ? `; changes ${answer.adapter.targets.join(", ")}` : "", ".") : null,
    answer.headers.length ? unfold(`Tensors: ${answer.header_changes} other in name, shape or type`, table(["Tensor", "What", "Before", "Now"],
      answer.headers.slice(0, longest).map((row) => [code(row.name), plain(row.what), row.before ?? row.from_name ?? "", row.after ?? ""]))) : null,
    values("config.json", answer.config), values("generation_config.json", answer.generation_config),
    Object.keys(answer.tokenizer ?? {}).length ? unfold("Tokenizer", el("pre", { "data-plain": true }, JSON.stringify(answer.tokenizer, null, 1).slice(0, 20_000))) : null,
    lines(answer.chat_template));
}

/** Layers from left to right, a row for each kind of matrix; the darker, the further. */
function strip(heat: Heat): HTMLElement | null {
  if (!heat.modules.length || !heat.layers) return null;
  const numbers = heat.layers <= 8;
  const shade = (value: number) => (value === 0 ? 0 : Math.min(100, Math.max(12, Math.round(25 * (4 + Math.log10(value))))));  // 0.0001 … 1
  const head = el("tr", {}, el("td", {}), ...Array.from({ length: heat.layers }, (_, layer) => el("th", { scope: "col" }, String(layer))));
  const rows = heat.modules.map((module, row) => el("tr", {}, el("th", { scope: "row" }, module), ...Array.from({ length: heat.layers }, (_, layer) => {
    const value = heat.cells[row]?.[layer];
    if (value === null || value === undefined) return el("td", { className: "none" }, el("span", { className: "visually-hidden" }, "none"));
    const said = value === 0 ? "same" : digits(value);
    const cell = el("td", { title: `${module}, layer ${layer}: ${value === 0 ? "unchanged" : value}` }, numbers ? said : el("span", { className: "visually-hidden" }, said));
    cell.style.setProperty("--heat", `${shade(value)}%`);
    return cell;
  })));
  return el("div", { className: "scroll", tabindex: 0, role: "region", "aria-label": "How far each layer moved" }, el("table", { className: "heat-strip" },
    el("caption", {}, "How far each layer moved, relative to its size: from no colour (unchanged) to full colour (as far as it is large)"), el("thead", {}, head), el("tbody", {}, ...rows)));
}

/** Layers of which nothing changed. */
function frozen(heat: Heat): number[] {
  return Array.from({ length: heat.layers }, (_, layer) => layer).filter((layer) => {
    const column = heat.cells.map((row) => row[layer]).filter((value) => value !== null && value !== undefined);
    return column.length > 0 && column.every((value) => value === 0);
  });
}

export function distance(result: Distance): HTMLElement {
  if (result.adapter)
    return el("div", {}, el("p", {}, "How large the adapter's change is beside what it changes, ||sBA|| / ||W||:"),
      table(["Target", "Rank", "Relative"], result.adapter.slice(0, longest).map((row) => [code(row.target), String(row.rank), digits(row.relative)])));
  const heat = result.heat ?? { modules: [], layers: 0, cells: [] };
  const still = frozen(heat);
  const moved = (result.tensors ?? []).filter((tensor) => tensor.equal === false && tensor.relative !== undefined).sort((a, b) => b.relative! - a.relative!);
  return el("div", {},
    el("p", {}, `${result.equal ?? 0} of ${result.compared ?? 0} tensors are equal`, result.relative ? `; the others moved by ${digits(result.relative)} of their size` : "",
      result.skipped ? `; ${result.skipped} could not be compared` : "", ".", still.length ? ` Unchanged layers: ${still.join(", ")}.` : ""),
    strip(heat),
    moved.length ? unfold(`The ${Math.min(moved.length, 50)} that moved furthest`, table(["Tensor", "Relative distance", "Cosine", "Largest difference", "Values changed"],
      moved.slice(0, 50).map((tensor) => [code(tensor.name), digits(tensor.relative), tensor.cosine === undefined ? "" : tensor.cosine.toFixed(4), digits(tensor.max_abs),
        tensor.changed === undefined ? "" : `${(100 * tensor.changed).toFixed(1)} %`]))) : null);
}
