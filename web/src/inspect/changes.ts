// How far the weights of two models are from each other.
import { el } from "../dom";
import { table } from "./parts";

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

const longest = 200;  // rows that a table shows

/** "0.31", "0.0098", "2e-7" */
const digits = (value: number | undefined) => (value === undefined ? "" : value === 0 ? "0" : Math.abs(value) < 1e-4 ? value.toExponential(1) : String(Number(value.toPrecision(2))));

function unfold(title: string, ...content: (HTMLElement | string | null)[]): HTMLElement {
  return el("details", { className: "more" }, el("summary", {}, title), ...content);
}

const code = (name: string) => el("code", {}, name);

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
    el("p", {}, `${result.equal ?? 0} of ${result.compared ?? 0} tensor${result.compared === 1 ? "" : "s"} ${result.equal === 1 ? "is" : "are"} equal`, result.relative ? `; the others moved by ${digits(result.relative)} of their size` : "",
      result.skipped ? `; ${result.skipped} could not be compared` : "", ".", still.length ? ` Unchanged layers: ${still.join(", ")}.` : ""),
    strip(heat),
    moved.length ? unfold(`The ${Math.min(moved.length, 50)} that moved furthest`, table(["Tensor", "Relative distance", "Cosine", "Largest difference", "Values changed"],
      moved.slice(0, 50).map((tensor) => [code(tensor.name), digits(tensor.relative), tensor.cosine === undefined ? "" : tensor.cosine.toFixed(4), digits(tensor.max_abs),
        tensor.changed === undefined ? "" : `${(100 * tensor.changed).toFixed(1)} %`]))) : null);
}
