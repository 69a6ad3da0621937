// Which programs load it, and on which machines it fits.
import { getJson } from "../api";
import { bytes, el } from "../dom";
import { badge, evidence, missing, table, type Finding, type Subject } from "./parts";

interface Runtimes {
  formats: (Finding<string> & { label: string })[];
  assets: (Finding<string> & { name: string; required: boolean; purpose: string })[];
  hearth: { runs?: boolean; tasks?: string[]; reason?: string } | null;
  runtimes: { name: string; verdict: string; note: string; missing: string[] }[];
}
interface Need {
  total: number;
  weights: number;
  kv: number;
  state: number;
  compute: number;
  overhead: number;
}
interface Device {
  name: string;
  maker: string;
  kind: string;
  mine?: boolean;
  memory_bytes: number;
  verdict: string;
  need: Need;
  layers_on_device?: number;
  layers?: number;
  longest_context: number;
  tokens_per_second_at_most: number | null;
}
interface Fit {
  context: number;
  shape: Record<string, Finding>;
  weights: { name: string; precision: string; bytes: Finding<number>; bits_per_weight: number }[];
  chosen?: string;
  need?: Need;
  devices: Device[];
  reason?: string;
}

export function runtimes(answer: Runtimes, subject: Subject): HTMLElement {
  if (answer.formats.length === 0) return el("p", {}, missing(), " No form of a model that a program loads.");
  return el("div", {},
    el("p", { className: "headline" }, ...answer.formats.flatMap((form) => [el("strong", {}, form.label), badge(form.level), " "])),
    table(["Program", "", "Why"], [...(answer.hearth?.runs === undefined ? [] : [["Hearth, on this hub", badge(answer.hearth.runs ? "runs" : "no"), el("span", { className: "soft" }, answer.hearth.runs ? (answer.hearth.tasks ?? []).join(", ") : answer.hearth.reason ?? "")]]), ...answer.runtimes.map((row) => [row.name, badge(row.verdict), el("span", { className: "soft" }, row.note, row.missing.length ? ` Missing: ${row.missing.join(", ")}.` : "")])]),
    el("h3", {}, "Files that they need"),
    el("ul", { className: "findings" }, ...answer.assets.map((asset) => el("li", {}, el("strong", {}, asset.name), asset.level === "missing" ? badge(asset.required ? "missing" : "not there") : badge("found"), el("span", { className: "soft" }, asset.purpose), evidence(asset.evidence, subject)))));
}

const parts: [keyof Need, string][] = [["weights", "weights"], ["kv", "KV cache"], ["state", "state"], ["compute", "work memory"], ["overhead", "program"]];

function needBar(need: Need): HTMLElement {
  const bar = el("div", { className: "need-bar" }, ...parts.map(([key]) => {
    const piece = el("span", { className: key });
    piece.style.flexGrow = String(need[key]);
    return piece;
  }));
  return el("div", {}, el("p", { className: "headline" }, el("strong", {}, bytes(need.total)), " in all"), bar,
    el("ul", { className: "need-legend" }, ...parts.filter(([key]) => need[key] > 0).map(([key, label]) => el("li", { className: key }, `${label} ${bytes(need[key])}`))));
}

function devices(rows: Device[]): HTMLElement {
  return table(["Device", "Memory", "Verdict", "Longest context", "Tokens a second, at most"], rows.map((device) => [
    device.mine ? el("span", {}, device.name, " ", badge("yours")) : device.name, bytes(device.memory_bytes), el("span", {}, badge(device.verdict), device.layers_on_device !== undefined ? el("span", { className: "soft" }, ` ${device.layers_on_device} of ${device.layers} layers`) : null),
    device.longest_context ? device.longest_context.toLocaleString("en") : "–", device.tokens_per_second_at_most ? Math.round(device.tokens_per_second_at_most).toLocaleString("en") : "–"]));
}

const firstDevices = 12;  // the others unfold
const contexts = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144];

const thisNode = "this node";
const ownDevices = "mine";  // no maker is called so

/** The picker keeps its place; each choice asks the hub again. */
export function fit(first: Fit, subject: Subject): HTMLElement {
  const body = el("div", { "aria-live": "polite" });
  const mine = first.devices.some((device) => device.mine);
  const context = el("input", { type: "range", min: 0, max: contexts.length - 1, step: 1, "aria-label": "Context length" }) as HTMLInputElement;
  const label = el("output", {});
  const cache = el("select", { "aria-label": "Type of the KV cache" }, ...["f16", "q8_0", "q4_0", "fp8", "f32"].map((name) => el("option", {}, name))) as HTMLSelectElement;
  const file = el("select", { "aria-label": "Weights" }, ...first.weights.map((choice) => el("option", { value: choice.name, selected: choice.name === first.chosen }, `${choice.name} (${choice.precision}, ${choice.bits_per_weight.toFixed(1)} bits)`))) as HTMLSelectElement;
  const makers = el("select", { "aria-label": "Devices" }, ...(mine ? [el("option", { value: ownDevices, selected: true }, "my hardware")] : []), el("option", { value: "" }, "all devices"), ...[...new Set(first.devices.map((device) => device.maker).filter(Boolean))].map((maker) => el("option", {}, maker))) as HTMLSelectElement;
  let running: AbortController | undefined;
  let shown = first;

  const draw = () => {
    const rows = shown.devices.filter((device) => device.name === thisNode || !makers.value || (makers.value === ownDevices ? device.mine : device.maker === makers.value));
    body.replaceChildren(
      ...(shown.need ? [needBar(shown.need)] : [el("p", {}, missing(), ` ${shown.reason ?? "What it needs is not known."}`)]),
      ...(shown.need && shown.reason ? [el("p", { className: "soft" }, shown.reason)] : []),
      ...(shown.need ? [devices(rows.slice(0, firstDevices)), rows.length > firstDevices ? el("details", { className: "evidence" }, el("summary", {}, `${rows.length - firstDevices} more devices`), devices(rows.slice(firstDevices))) : ""] : []));
  };
  const nearest = () => contexts.reduce((best, value, index) => (Math.abs(value - shown.context) < Math.abs(contexts[best]! - shown.context) ? index : best), 0);
  context.value = String(nearest());
  const say = () => { label.textContent = `${contexts[Number(context.value)]!.toLocaleString("en")} tokens`; };
  const ask = async () => {
    running?.abort();
    running = new AbortController();
    const query = new URLSearchParams({ context: String(contexts[Number(context.value)]), cache: cache.value, revision: subject.commit });
    if (file.value) query.set("file", file.value);
    try {
      shown = await getJson<Fit>(`${subject.api}/fit?${query}`, running.signal);
      draw();
    } catch (fault) {
      if ((fault as Error).name !== "AbortError") body.replaceChildren(el("p", { className: "notice bad" }, (fault as Error).message));
    }
  };
  context.addEventListener("input", say);
  for (const control of [context, cache, file]) control.addEventListener("change", () => void ask());
  makers.addEventListener("change", draw);
  say();
  draw();
  return el("div", {}, el("form", { className: "fit-form" }, el("label", {}, "Context ", context, label), el("label", {}, "Cache ", cache), first.weights.length > 1 ? el("label", {}, "Weights ", file) : null, el("label", {}, "Devices ", makers)), body);
}
