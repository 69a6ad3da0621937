// The first-model checklist in short: what is known of each question, and what the reader wrote.
import { el } from "../dom";
import { badge, evidence, missing, type Finding, type Subject } from "./parts";

interface Checklist {
  fields: { field: string; title: string; found: Finding & { text: string }; answer: { text: string; checked: boolean } | null }[];
  progress: { filled: number; checked: number; of: number };
  mayEdit: boolean;
  spec: string;
}

export function checklist(answer: Checklist, subject: Subject): HTMLElement {
  const page = `${subject.path}/checklist${subject.asked ? `?revision=${encodeURIComponent(subject.asked)}` : ""}`;
  const note = `/compare/note?repos=${encodeURIComponent(answer.spec)}`;
  return el("div", {},
    el("p", { className: "headline" }, el("strong", {}, `${answer.progress.filled} of ${answer.progress.of}`), ` known, ${answer.progress.checked} looked at by you`),
    el("ul", { className: "findings" }, ...answer.fields.map((field) => el("li", {},
      el("strong", {}, field.title), field.found.level === "missing" ? missing() : badge(field.found.level),
      field.found.level === "missing" ? null : el("span", { className: "soft" }, field.found.text),
      field.answer ? el("span", {}, `You: ${field.answer.text || "agreed"}`) : null, evidence(field.found.evidence, subject)))),
    el("p", {}, el("a", { href: page }, answer.mayEdit ? "Write down your answers" : "The checklist on a page of its own"), " · ", el("a", { href: note }, "Decision note")));
}
