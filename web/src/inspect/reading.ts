// What it is, in which order to read it, and what its card is worth.
import { el } from "../dom";
import { badge, evidence, missing, plain, type Evidence, type Finding, type Level, type Subject } from "./parts";

interface Kinds {
  type: Finding<string>;
  kinds: (Finding<string> & { facts?: Record<string, unknown> })[];
  alarms: { alarm: string; level: Level; message: string; evidence: Evidence[] }[];
  not_read?: string[];
}
interface Step {
  title: string;
  state: string;
  jump: { where: string; anchor?: string; line?: number } | null;
  prevents: string;
  evidence: Evidence[];
}
interface Order {
  steps: Step[];
  note: { title: string; value: string | null; level: Level; evidence: Evidence[] }[];
}
interface Score {
  score: number;
  of: number;
  rows: { title: string; points: number; of: number; state: string; anchor?: string; hint?: string; evidence: Evidence[] }[];
  problems: string[];
}

const factsOf = (facts: Record<string, unknown> | undefined) =>
  Object.entries(facts ?? {}).map(([key, value]) => `${plain(key)} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`).join(", ");

export function classify(answer: Kinds, subject: Subject): HTMLElement {
  const out = el("div", {});
  for (const alarm of answer.alarms) out.append(el("div", { className: "notice bad" }, el("strong", {}, alarm.message), " ", badge(alarm.level), evidence(alarm.evidence, subject)));
  if (answer.kinds.length === 0) out.append(el("p", {}, missing(), " None of the known kinds shows in its files."));
  out.append(el("ul", { className: "findings" }, ...answer.kinds.map((kind) => el("li", {},
    el("strong", {}, plain(String(kind.value))), badge(kind.level), factsOf(kind.facts) ? el("span", { className: "soft" }, factsOf(kind.facts)) : null, evidence(kind.evidence, subject)))));
  if (answer.not_read?.length) out.append(el("p", { className: "soft" }, `Not read: ${answer.not_read.join("; ")}`));
  return out;
}

function jumpOf(step: Step, subject: Subject): string | undefined {
  if (!step.jump) return undefined;
  if (step.jump.where === "files") return `${subject.path}/tree/main`;
  if (step.jump.where === "card") return `${subject.path}${step.jump.anchor ? `#user-content-${step.jump.anchor.replace(/^user-content-/, "")}` : ""}`;
  return `${subject.path}/blob/${subject.commit}/${step.jump.where}`;
}

export function readingOrder(answer: Order, subject: Subject): HTMLElement {
  return el("div", {},
    el("ol", { className: "steps" }, ...answer.steps.map((step) => {
      const href = jumpOf(step, subject);
      return el("li", { className: step.state }, el("strong", {}, href ? el("a", { href }, step.title) : step.title), badge(step.state), el("span", { className: "soft" }, `Prevents: ${step.prevents}`), evidence(step.evidence, subject));
    })),
    el("h3", {}, "In four lines"),
    el("dl", { className: "note" }, ...answer.note.flatMap((line) => [
      el("dt", {}, line.title), el("dd", {}, line.value ?? "", line.value ? " " : "", badge(line.level), evidence(line.evidence, subject))])));
}

export function cardScore(answer: Score, subject: Subject): HTMLElement {
  const meter = (points: number, of: number) => {
    const bar = el("span", { className: "track" }, el("span", { className: "fill" }));
    (bar.firstChild as HTMLElement).style.width = `${of > 0 ? (100 * points) / of : 0}%`;
    return bar;
  };
  return el("div", {},
    el("p", { className: "score" }, el("strong", {}, String(answer.score)), ` of ${answer.of}`),
    ...answer.problems.map((problem) => el("p", { className: "notice bad" }, problem)),
    el("ul", { className: "score-rows" }, ...answer.rows.map((row) => el("li", {},
      el("span", { className: "title" }, row.anchor ? el("a", { href: `${subject.path}#user-content-${row.anchor.replace(/^user-content-/, "")}` }, row.title) : row.title),
      badge(row.state), el("span", { className: "number" }, `${row.points} / ${row.of}`), meter(row.points, row.of),
      row.hint ? el("span", { className: "soft hint" }, row.hint) : null, evidence(row.evidence, subject)))));
}
