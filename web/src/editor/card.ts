// The details of a card as fields. They stand for lines of the YAML at the front of README.md: a field changes its own line and
// nothing else, so that comments and the order of a hand-written card stay.
import { ApiError, sendJson } from "../api";
import { el } from "../dom";

const FRONT = /^---\r?\n([\s\S]*?)(?:\r?\n)?---[ \t]*(?:\r?\n|$)/;

interface Front {
  lines: string[];
  rest: string;
}

function split(text: string): Front {
  const found = FRONT.exec(text);
  if (!found) return { lines: [], rest: text };
  return { lines: found[1] ? found[1].split(/\r?\n/) : [], rest: text.slice(found[0].length) };
}

const join = ({ lines, rest }: Front) => (lines.length === 0 ? rest : `---\n${lines.join("\n")}\n---\n${rest}`);

/** The lines that belong to a key: its own, and what is indented or listed below it. */
function span(lines: string[], key: string): [number, number] | undefined {
  const at = lines.findIndex((line) => line.startsWith(`${key}:`));
  if (at < 0) return undefined;
  let end = at + 1;
  while (end < lines.length && /^(\s+\S|-\s|$)/.test(lines[end]!)) end += 1;
  while (end > at + 1 && lines[end - 1] === "") end -= 1;
  return [at, end];
}

const plain = (text: string) => text.trim().replace(/^(["'])(.*)\1$/, "$2");

function values(lines: string[], key: string): string[] {
  const place = span(lines, key);
  if (!place) return [];
  const own = lines[place[0]]!.slice(key.length + 1).replace(/\s#.*$/, "").trim();
  if (own.startsWith("[")) return own.replace(/^\[|\]$/g, "").split(",").map(plain).filter(Boolean);
  if (own) return [plain(own)];
  return lines.slice(place[0] + 1, place[1]).filter((line) => /^\s*-\s/.test(line)).map((line) => plain(line.replace(/^\s*-\s/, "")));
}

/** YAML reads "no" as false and "1.0" as a number. */
function written(value: string): string {
  const bare = /^[A-Za-z][\w./+-]*$/.test(value) && !/^(y|n|yes|no|true|false|on|off|null)$/i.test(value);
  return bare ? value : JSON.stringify(value);
}

export function withValues(text: string, key: string, wanted: string[], asList: boolean): string {
  const front = split(text);
  const place = span(front.lines, key) ?? [front.lines.length, front.lines.length];
  const fresh = wanted.length === 0 ? [] : asList ? [`${key}:`, ...wanted.map((value) => `- ${written(value)}`)] : [`${key}: ${written(wanted[0]!)}`];
  front.lines.splice(place[0], place[1] - place[0], ...fresh);
  return join(front);
}

interface Check {
  score: number;
  rows: { title: string; state: string; points: number; of: number; hint?: string }[];
  errors?: string[];
  problems?: string[];
}

export function bindCard(form: HTMLFormElement, text: HTMLTextAreaElement): void {
  const helper = form.querySelector<HTMLDetailsElement>("[data-card-helper]");
  if (!helper) return;
  const fields = [...helper.querySelectorAll<HTMLInputElement>("[data-card-field], [data-card-list]")];
  const keyOf = (field: HTMLInputElement) => field.dataset.cardField ?? field.dataset.cardList ?? "";
  const fill = () => {
    const { lines } = split(text.value);
    for (const field of fields) if (document.activeElement !== field) field.value = values(lines, keyOf(field)).join(", ");
  };
  for (const field of fields) {
    field.removeAttribute("name");
    field.addEventListener("change", () => {
      const list = field.dataset.cardList !== undefined;
      const wanted = (list ? field.value.split(",") : [field.value]).map((part) => part.trim()).filter(Boolean);
      text.value = withValues(text.value, keyOf(field), wanted, list);
      text.dispatchEvent(new Event("input"));
    });
  }
  text.addEventListener("change", fill);
  helper.addEventListener("toggle", fill);
  fill();
  bindCheck(form, text, helper);
}

// The hub's checklist of the card, as it would be after this commit.
function bindCheck(form: HTMLFormElement, text: HTMLTextAreaElement, helper: HTMLDetailsElement): void {
  const place = helper.querySelector<HTMLElement>("[data-card-check]");
  if (!place) return;
  // Seen while the details are folded, too.
  const score = helper.querySelector<HTMLElement>("[data-card-score]");
  const { type, id } = form.dataset;
  let timer: number | undefined;
  let turn = 0;
  async function check(): Promise<void> {
    if (helper.hidden) return;
    const now = ++turn;
    try {
      const answer = await sendJson<Check>("POST", "/api/hearth/card-check", { content: text.value, type, id });
      if (now !== turn) return;
      if (score) score.textContent = `score ${answer.score} of 100`;
      const faults = [...(answer.errors ?? []), ...(answer.problems ?? [])];
      place!.replaceChildren(
        el("p", {}, el("strong", {}, `Card score: ${answer.score} of 100`)),
        ...faults.map((fault) => el("p", { className: "notice bad" }, fault)),
        el("ul", { className: "checklist" }, ...answer.rows.map((row) =>
          el("li", {}, el("span", { className: `badge ${row.points >= row.of ? "good" : row.points > 0 ? "warn" : ""}` }, `${row.points} / ${row.of}`),
            ` ${row.title}: ${row.state}`, row.hint ? el("span", { className: "hint" }, ` ${row.hint}`) : null))));
    } catch (fault) {
      place!.textContent = fault instanceof ApiError && fault.status === 404 ? "" : fault instanceof ApiError ? fault.message : String(fault);
    }
  }
  const soon = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(check, 400);
  };
  text.addEventListener("input", soon);
  soon();
}
