// Licence, origin and safety.
import { el } from "../dom";
import { badge, evidence, missing, plain, table, type Evidence, type Finding, type Level, type Subject } from "./parts";

interface Member {
  id: string;
  relation?: string;
  relationLevel?: Level;
  licence: Finding<string | string[]>;
  class?: string;
  verdict: { verdict: string; rule?: string; text: string; place?: string; duties?: string[] };
}
interface Licence {
  banner: string;
  licence: Finding<string | string[]>;
  checks: (Finding<{ check: string; result: string; text: string }>)[];
  chain: Member[];
  datasets: Member[];
  effective: Finding<{ licences: string[]; class: string; headline: string; may?: Record<string, unknown>; duties?: string[]; complete?: boolean }>;
  verdict: string;
}
interface Origins {
  repo: string;
  index: { weight_files: number; indexed: number };
  edges: { from: string; to: string; relation: string; level: Level; evidence: Evidence[]; details: Record<string, unknown> }[];
}
interface Safety {
  policy: string;
  counts: Record<string, number>;
  cut: boolean;
  files: { path: string; state: string; error?: string; findings?: { path?: string; message?: string; rule?: string; level?: string; severity?: string; place?: string; line?: number }[] }[];
}

const ids = (value: string | string[] | null) => (Array.isArray(value) ? value.join(", ") : value ?? "");

function chain(members: Member[], subject: Subject): HTMLElement {
  return table(["From", "How", "Licence", "Verdict"], members.map((member) => [
    el("span", {}, el("a", { href: `/${member.id}` }, member.id)),
    el("span", {}, plain(member.relation ?? ""), member.relationLevel ? " " : null, member.relationLevel ? badge(member.relationLevel) : null),
    el("span", {}, member.licence.level === "missing" ? missing() : ids(member.licence.value)),
    el("span", {}, badge(member.verdict.verdict), el("span", { className: "soft" }, ` ${member.verdict.text}`), member.verdict.duties?.length ? el("ul", { className: "soft" }, ...member.verdict.duties.map((duty) => el("li", {}, plain(duty)))) : null, evidence(member.licence.evidence, subject)),
  ]));
}

export function licence(answer: Licence, subject: Subject): HTMLElement {
  const effective = answer.effective.value;
  const may = Object.entries(effective?.may ?? {});
  return el("div", {},
    el("p", { className: "headline" }, answer.licence.level === "missing" ? missing() : el("strong", {}, ids(answer.licence.value)), " ", badge(answer.licence.level), effective ? badge(effective.headline) : null, " ", badge(answer.verdict)),
    evidence(answer.licence.evidence, subject),
    effective ? el("p", {}, `In effect: ${ids(effective.licences) || "not known"} (${plain(effective.class)})`, effective.complete === false ? el("span", { className: "soft" }, "; a part of the chain is not known") : null) : null,
    may.length ? el("ul", { className: "may" }, ...may.map(([what, allowed]) => el("li", { className: allowed === true || allowed === "yes" ? "yes" : allowed === false || allowed === "no" ? "no" : "" }, `${plain(what)}: ${typeof allowed === "boolean" ? (allowed ? "yes" : "no") : String(allowed)}`))) : null,
    effective?.duties?.length ? el("p", { className: "soft" }, `Duties: ${effective.duties.map(plain).join(", ")}`) : null,
    answer.checks.length ? el("ul", { className: "findings" }, ...answer.checks.map((check) => el("li", {}, el("span", {}, check.value?.text ?? ""), badge(check.value?.result ?? check.level), evidence(check.evidence, subject)))) : null,
    answer.chain.length ? el("div", {}, el("h3", {}, "The chain"), chain(answer.chain, subject)) : null,
    answer.datasets.length ? el("div", {}, el("h3", {}, "Datasets it names"), chain(answer.datasets, subject)) : null,
    el("p", { className: "soft" }, answer.banner));
}

export function provenance(answer: Origins, subject: Subject): HTMLElement {
  const nameOf = (node: string) => (node === answer.repo ? el("strong", {}, "this repository") : el("a", { href: `/${node.split("@")[0]}` }, node.split("@")[0]!));
  const out = el("div", {});
  if (answer.index.indexed < answer.index.weight_files) out.append(el("p", { className: "notice" }, `${answer.index.indexed} of ${answer.index.weight_files} files of weights have been read so far.`));
  if (answer.edges.length === 0) out.append(el("p", {}, missing(), " No base is declared, and no tensor is shared with a repository that you may read."));
  out.append(el("ul", { className: "edges" }, ...answer.edges.map((edge) => el("li", {}, el("span", { className: "edge" }, nameOf(edge.from), el("span", { className: "relation" }, plain(edge.relation)), nameOf(edge.to)), badge(edge.level),
    Object.keys(edge.details ?? {}).length ? el("span", { className: "soft" }, Object.entries(edge.details).filter(([, value]) => typeof value !== "object").map(([key, value]) => `${plain(key)} ${String(value)}`).join(", ")) : null, evidence(edge.evidence, subject)))));
  return out;
}

export function safety(answer: Safety, subject: Subject): HTMLElement {
  const words = Object.entries(answer.counts).filter(([, count]) => count > 0);
  const worth = answer.files.filter((file) => file.state !== "safe");
  const out = el("div", {}, el("p", { className: "headline" }, ...words.flatMap(([state, count]) => [badge(state), ` ${count} file${count === 1 ? "" : "s"} `])));
  if (worth.length === 0) out.append(el("p", {}, "Every file was scanned, and nothing was found."));
  out.append(el("ul", { className: "findings" }, ...worth.slice(0, 200).map((file) => el("li", {}, el("a", { href: `${subject.path}/blob/${subject.commit}/${file.path}` }, file.path), badge(file.state), file.error ? el("span", { className: "soft" }, file.error) : null,
    file.findings?.length ? el("ul", { className: "soft" }, ...file.findings.slice(0, 20).map((finding) => el("li", {}, [finding.message ?? finding.rule ?? "", finding.path && finding.path !== file.path ? `in ${finding.path}` : "", finding.line ? `line ${finding.line}` : finding.place ?? ""].filter(Boolean).join(" · ")))) : null))));
  if (answer.cut) out.append(el("p", { className: "soft" }, "There are more files than are shown here."));
  return out;
}
