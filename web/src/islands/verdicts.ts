// The inspector in short, beside the card: one line a question, each with the places that it stands on.
import { getJson } from "../api";
import { bytes, el } from "../dom";
import { badge, evidence, missing, plain, type Evidence, type Finding, type Subject } from "../inspect/parts";

type Verdict = { says: (Node | string)[]; evidence?: Evidence[] };

const readers: Record<string, (answer: any) => Verdict> = {
  classify: (answer) => ({
    says: answer.kinds.length === 0 ? [missing()] : [answer.kinds.slice(0, 3).map((kind: Finding<string>) => plain(String(kind.value))).join(", "), badge(answer.alarms.length ? "alarm" : answer.kinds[0].level)],
    evidence: [...answer.alarms.flatMap((alarm: any) => alarm.evidence), ...answer.kinds.slice(0, 3).flatMap((kind: Finding) => kind.evidence)],
  }),
  "card-score": (answer) => ({
    says: [`${answer.score} of ${answer.of}`],
    evidence: answer.rows.filter((row: any) => row.points < row.of).slice(0, 6).map((row: any) => ({ file: "", rule: `${row.title}: ${row.state}` })),
  }),
  licence: (answer) => {
    const value = answer.licence.value;
    return { says: answer.licence.level === "missing" ? [missing()] : [Array.isArray(value) ? value.join(", ") : String(value), badge(answer.effective.value?.headline ?? answer.licence.level), ...(answer.verdict === "ok" ? [] : [badge(answer.verdict)])], evidence: answer.licence.evidence };
  },
  safety: (answer) => {
    const worst = ["unsafe", "suspicious", "caution", "error", "queued", "scanning", "unknown", "safe"].find((state) => answer.counts[state] > 0);
    return { says: worst ? [worst === "safe" ? "nothing found" : `${answer.counts[worst]} file${answer.counts[worst] === 1 ? "" : "s"}`, badge(worst)] : [missing()], evidence: answer.files.filter((file: any) => file.state === worst && worst !== "safe").slice(0, 8).map((file: any) => ({ file: file.path, rule: file.findings?.[0]?.message ?? "" })) };
  },
  fit: (answer) => (answer.need ? { says: [`needs ${bytes(answer.need.total)}`, ...(answer.devices[0] ? [badge(answer.devices[0].verdict)] : [])] } : { says: [missing()], evidence: answer.reason ? [{ rule: answer.reason }] : [] }),
};

async function show(row: HTMLElement, subject: Subject): Promise<void> {
  const what = row.dataset.verdict!;
  const place = row.querySelector<HTMLElement>("[data-value]")!;
  try {
    const verdict = readers[what]!(await getJson(`${subject.api}/${what}?revision=${subject.commit}${what === "fit" ? "&device=node" : ""}`));
    place.replaceChildren(...verdict.says.flatMap((part) => [part, " "]));
    const places = evidence(verdict.evidence, subject);
    if (places) row.append(places);
  } catch {
    place.replaceChildren(el("span", { className: "soft" }, "not known"));
  }
}

export function start(root: HTMLElement): void {
  const subject: Subject = { api: root.dataset.api!, path: root.dataset.path!, commit: root.dataset.commit! };
  for (const row of root.querySelectorAll<HTMLElement>("[data-verdict]")) void show(row, subject);
}
