// A picture of each kind of answer. What a model or a person wrote only ever becomes text.
import { el } from "../dom";

type Body = Record<string, any>;

const percent = (score: number) => `${(100 * score).toFixed(1)} %`;
const first = (answer: any) => (Array.isArray(answer) && Array.isArray(answer[0]) ? answer[0] : answer);

/** rows: label, share of the track 0..1, text at the right */
function bars(rows: [string | Node, number, string][]): HTMLElement {
  return el("ul", { className: "bars" }, ...rows.map(([label, share, text]) => {
    const fill = el("span", { className: "fill" });
    fill.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
    return el("li", {}, el("span", {}, label), el("span", { className: "number" }, text), el("span", { className: "track" }, fill));
  }));
}

function labels(answer: any): HTMLElement {
  return bars(first(answer).map((row: any) => [String(row.label), row.score, percent(row.score)]));
}

function hueOf(kind: string): string {
  return String(Array.from(kind).reduce((sum, character) => (sum * 31 + character.codePointAt(0)!) % 360, 7));
}

// Offsets count characters, JavaScript's strings count UTF-16 units.
function entities(answer: any, body: Body): HTMLElement {
  const characters = Array.from(String(body.inputs));
  const out = el("p", { className: "said" });
  let at = 0;
  for (const entity of [...answer].sort((a: any, b: any) => a.start - b.start)) {
    if (entity.start < at) continue;
    const kind = String(entity.entity_group || entity.entity || "").replace(/^[BIESLU]-/, "");
    const span = el("mark", { className: "entity", title: percent(entity.score) }, characters.slice(entity.start, entity.end).join(""), el("small", {}, kind));
    span.style.setProperty("--hue", hueOf(kind));
    out.append(characters.slice(at, entity.start).join(""), span);
    at = entity.end;
  }
  out.append(characters.slice(at).join(""));
  return answer.length > 0 ? out : el("div", {}, out, el("p", { className: "meta" }, "The model found nothing in this text."));
}

// The answer where it stands in the text, with its score.
function answered(answer: any, body: Body): HTMLElement {
  const best = Array.isArray(answer) ? answer[0] : answer;
  const found = best.answer && best.end > best.start;
  const characters = Array.from(String(body.inputs.context));
  const text = el("p", { className: "said in-context" });
  if (found) {
    text.append(characters.slice(0, best.start).join(""), el("mark", {}, characters.slice(best.start, best.end).join("")), characters.slice(best.end).join(""));
  }
  return el("div", {}, bars([[best.answer || "(no answer in the text)", best.score, percent(best.score)]]), found ? text : null);
}

// Each word that may stand at the mask, and the sentence as the best one makes it.
function words(answer: any): HTMLElement {
  const rows = first(answer) as any[];
  const out = el("div", {});
  if (rows[0]?.sequence) out.append(el("p", { className: "said" }, rows[0].sequence));
  out.append(bars(rows.map((row) => [String(row.token_str).trim() || String(row.token_str), row.score, percent(row.score)])));
  return out;
}

function vector(answer: any): HTMLElement {
  const sizes: number[] = [];
  for (let inner = answer; Array.isArray(inner); inner = inner[0]) sizes.push(inner.length);
  const flat = (answer.flat(Infinity) as number[]).slice(0, 96);
  const largest = Math.max(...flat.map(Math.abs), 1e-9);
  const strip = el("div", { className: "strip-cells", role: "img", "aria-label": "The first numbers of the vector" }, ...flat.map((value) => {
    const cell = el("span", { title: value.toFixed(4), className: value < 0 ? "below" : "above" });
    cell.style.opacity = (0.12 + 0.88 * (Math.abs(value) / largest)).toFixed(2);
    return cell;
  }));
  return el("div", {}, el("p", { className: "meta" }, `numbers: ${sizes.join(" × ")}`), strip, el("p", { className: "vector" }, `${flat.slice(0, 24).map((value) => value.toFixed(3)).join("  ")} …`));
}

function continued(answer: any, body: Body): HTMLElement {
  const text = String((Array.isArray(answer) ? answer[0] : answer).generated_text);
  const inputs = String(body.inputs);
  return el("p", { className: "said" }, el("span", { className: "given" }, inputs), text.startsWith(inputs) ? text.slice(inputs.length) : text);
}

// What was said, and when where the model tells.
function transcript(answer: any): HTMLElement {
  const out = el("div", {}, el("p", { className: "said" }, String(answer.text).trim() || "(nothing was said)"));
  if (!Array.isArray(answer.chunks)) return out;
  const second = (value: unknown) => (typeof value === "number" ? value.toFixed(1) : "");
  out.append(el("ul", { className: "chunks" }, ...answer.chunks.map((chunk: any) =>
    el("li", {}, el("span", { className: "number" }, `${second(chunk.timestamp?.[0])}–${second(chunk.timestamp?.[1])} s`), " ", String(chunk.text).trim()))));
  return out;
}

/** Every text against every other: vectors -> a table whose cells are darker the closer two texts are. */
export function heatMap(texts: string[], vectors: number[][]): HTMLElement {
  const norm = (v: number[]) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0)) || 1;
  const cosine = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0) / (norm(a) * norm(b));
  const head = el("tr", {}, el("td", {}), ...texts.map((text, i) => el("th", { scope: "col", title: text }, String(i + 1))));
  const rows = vectors.map((a, i) => el("tr", {}, el("th", { scope: "row", title: texts[i] }, `${i + 1} `, el("span", {}, texts[i] ?? "")),
    ...vectors.map((b) => {
      const score = cosine(a, b);
      const cell = el("td", {}, score.toFixed(2));
      cell.style.setProperty("--heat", `${Math.round(100 * Math.min(1, Math.max(0, score)))}%`);
      return cell;
    })));
  return el("div", { className: "scroll" }, el("table", { className: "heat" }, el("caption", {}, "Every text with every other"), el("thead", {}, head), el("tbody", {}, ...rows)));
}

const drawers: Record<string, (answer: any, body: Body) => HTMLElement> = {
  "text-classification": labels,
  "zero-shot-classification": (answer) => labels(Array.isArray(answer) ? answer : answer.labels.map((label: string, i: number) => ({ label, score: answer.scores[i] }))),
  "fill-mask": words,
  "token-classification": entities,
  "question-answering": answered,
  "sentence-similarity": (answer, body) => bars(answer.map((score: number, i: number) => [body.inputs.sentences[i], score, score.toFixed(3)])),
  "text-ranking": (answer, body) => bars(answer.map((row: any) => [body.texts[row.index], row.score, row.score.toFixed(3)])),
  "feature-extraction": vector,
  "image-classification": labels,
  "audio-classification": labels,
  "image-feature-extraction": vector,
  "automatic-speech-recognition": transcript,
  "text-generation": continued,
};

export function picture(task: string, answer: unknown, body: Body): HTMLElement {
  const draw = drawers[task];
  return draw ? draw(answer, body) : el("pre", {}, JSON.stringify(answer, null, 1));
}
