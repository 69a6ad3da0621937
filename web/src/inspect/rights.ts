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
  effective: Finding<{ licences: string[]; class: string; headline: string; may?: Record<string, unknown>; duties?: Record<string, boolean>; complete?: boolean }>;
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
  files: { path: string; state: string; error?: string; findings?: { severity: string; kind: string; path: string; evidence: string; advice?: string }[]; secrets?: { kind: string; line?: number }[] }[];
}

const dutyWords: Record<string, string> = { attribution: "name the authors", sameLicence: "pass on under the same licence", useLimits: "pass on limits of use", naming: "keep a part of the name", userCap: "ask above a number of users", acceptance: "accept the terms first" };

const ids = (value: string | string[] | null) => (Array.isArray(value) ? value.join(", ") : value ?? "");

const encode = (id: string) => id.split("/").map(encodeURIComponent).join("/");

/** To its page; what this hub may not have is looked for, so that the link never leads nowhere. */
function linkTo(id: string, plural: "models" | "datasets", here: boolean): HTMLElement {
  if (here) return el("a", { href: plural === "models" ? `/${encode(id)}` : `/datasets/${encode(id)}` }, id);
  return el("a", { className: "elsewhere", href: `/${plural}?search=${encodeURIComponent(id)}`, title: "Not known on this hub" }, id);
}

function chain(members: Member[], plural: "models" | "datasets", subject: Subject): HTMLElement {
  const first = members.slice(0, firstMembers);
  const rest = members.slice(firstMembers);
  return el("div", {}, chainTable(first, plural, subject), rest.length ? el("details", { className: "evidence" }, el("summary", {}, `${rest.length} more`), chainTable(rest, plural, subject)) : null);
}

const firstMembers = 8;  // the others unfold

function chainTable(members: Member[], plural: "models" | "datasets", subject: Subject): HTMLElement {
  return table(["From", "How", "Licence", "Verdict"], members.map((member) => [
    linkTo(member.id, plural, member.licence.level !== "missing"),
    el("span", {}, plain(member.relation ?? ""), member.relationLevel ? " " : null, member.relationLevel ? badge(member.relationLevel) : null),
    el("span", {}, member.licence.level === "missing" ? missing() : ids(member.licence.value)),
    el("span", {}, badge(member.verdict.verdict), el("span", { className: "soft" }, ` ${member.verdict.text}`), member.verdict.duties?.length ? el("ul", { className: "soft" }, ...member.verdict.duties.map((duty) => el("li", {}, plain(duty)))) : null, evidence(member.licence.evidence, subject)),
  ]));
}

export function licence(answer: Licence, subject: Subject): HTMLElement {
  const effective = answer.effective.value;
  const may = Object.entries(effective?.may ?? {});
  const duties = Object.entries(effective?.duties ?? {}).filter(([, holds]) => holds).map(([duty]) => duty);
  return el("div", {},
    el("p", { className: "headline" }, answer.licence.level === "missing" ? missing() : el("strong", {}, ids(answer.licence.value)), " ", badge(answer.licence.level), effective ? badge(effective.headline) : null, " ", badge(answer.verdict)),
    evidence(answer.licence.evidence, subject),
    effective ? el("p", {}, `In effect: ${ids(effective.licences) || "not known"} (${plain(effective.class)})`, effective.complete === false ? el("span", { className: "soft" }, "; a part of the chain is not known") : null) : null,
    may.length ? el("ul", { className: "may" }, ...may.map(([what, allowed]) => el("li", { className: allowed === true || allowed === "yes" ? "yes" : allowed === false || allowed === "no" ? "no" : "" }, `${plain(what)}: ${typeof allowed === "boolean" ? (allowed ? "yes" : "no") : String(allowed)}`))) : null,
    duties.length ? el("p", { className: "soft" }, `Duties: ${duties.map((duty) => dutyWords[duty] ?? plain(duty)).join(", ")}`) : null,
    answer.checks.length ? el("ul", { className: "findings" }, ...answer.checks.map((check) => el("li", {}, el("span", {}, check.value?.text ?? ""), badge(check.value?.result ?? check.level), evidence(check.evidence, subject)))) : null,
    answer.chain.length ? el("div", {}, el("h3", {}, "The chain"), chain(answer.chain, "models", subject)) : null,
    answer.datasets.length ? el("div", {}, el("h3", {}, "Datasets it names"), chain(answer.datasets, "datasets", subject)) : null,
    el("p", { className: "soft" }, answer.banner));
}

export function provenance(answer: Origins, subject: Subject): HTMLElement {
  const nameOf = (node: string, here: boolean) => (node === answer.repo ? el("strong", {}, "this repository") : linkTo(node.split("@")[0]!, "models", here));
  // A base that is only named, and is not on this hub.
  const isHere = (edge: Origins["edges"][number]) => edge.details?.here !== false;
  const detailsOf = (edge: Origins["edges"][number]) => [
    ...Object.entries(edge.details ?? {}).filter(([key, value]) => key !== "here" && typeof value !== "object").map(([key, value]) => `${plain(key)} ${String(value)}`),
    ...(isHere(edge) ? [] : ["not on this hub"])].join(", ");
  const out = el("div", {});
  if (answer.index.indexed < answer.index.weight_files) out.append(el("p", { className: "notice" }, `${answer.index.indexed} of ${answer.index.weight_files} file${answer.index.weight_files === 1 ? "" : "s"} of weights read so far.`));
  if (answer.edges.length === 0) out.append(el("p", {}, missing(), " No base is declared, and no tensor is shared with a repository that you may read."));
  out.append(el("ul", { className: "edges" }, ...answer.edges.map((edge) => el("li", {}, el("span", { className: "edge" }, nameOf(edge.from, isHere(edge)), el("span", { className: "relation" }, plain(edge.relation)), nameOf(edge.to, isHere(edge))), badge(edge.level),
    isHere(edge) && edge.from !== edge.to ? el("a", { className: "soft", href: `${subject.path}/inspect?against=${encodeURIComponent((edge.from === answer.repo ? edge.to : edge.from).split("@")[0]!)}${subject.asked ? `&revision=${encodeURIComponent(subject.asked)}` : ""}#changes` }, "what changed") : null,
    detailsOf(edge) ? el("span", { className: "soft" }, detailsOf(edge)) : null, evidence(edge.evidence, subject)))));
  return out;
}

export function safety(answer: Safety, subject: Subject): HTMLElement {
  const words = Object.entries(answer.counts).filter(([, count]) => count > 0);
  const worth = answer.files.filter((file) => file.state !== "safe");
  const out = el("div", {}, el("p", { className: "headline" }, ...words.flatMap(([state, count]) => [badge(state), ` ${count} file${count === 1 ? "" : "s"} `])));
  if (worth.length === 0) out.append(el("p", {}, "Every file was scanned, and nothing was found."));
  out.append(el("ul", { className: "findings" }, ...worth.slice(0, 200).map((file) => el("li", {}, el("a", { href: `${subject.path}/blob/${subject.commit}/${file.path}` }, file.path), badge(file.state), file.error ? el("span", { className: "soft" }, file.error) : null,
    file.findings?.length ? el("ul", { className: "soft" }, ...file.findings.slice(0, 20).map((finding) => el("li", {}, [plain(finding.kind), finding.evidence, finding.path !== file.path ? `in ${finding.path}` : "", finding.advice ?? ""].filter(Boolean).join(" · ")))) : null,
    file.secrets?.length ? el("ul", { className: "soft" }, ...file.secrets.slice(0, 20).map((secret) => el("li", {}, `looks like a secret: ${plain(secret.kind)}${secret.line ? `, line ${secret.line}` : ""}`))) : null))));
  if (answer.cut) out.append(el("p", { className: "soft" }, "There are more files than are shown here."));
  return out;
}
