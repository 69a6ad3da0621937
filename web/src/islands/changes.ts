// "What changed" of the inspector's page: asks against what, shows the answer, and lets the weights be compared. The address keeps the question.
import { getJson, sendJson } from "../api";
import { el } from "../dom";
import { changes, distance, type Changes, type Distance } from "../inspect/changes";
import type { Subject } from "../inspect/parts";

interface Job {
  state: "none" | "queued" | "running" | "done" | "failed" | "cancelled";
  done: number;
  total: number;
  reason?: string;
  result?: Distance;
}
const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

export function start(section: HTMLElement): void {
  const form = section.querySelector("form")!;
  const against = form.querySelector<HTMLInputElement>("[name=against]")!;
  const revision = form.querySelector<HTMLInputElement>("[name=revision]")!;
  const list = form.querySelector("datalist")!;
  const place = section.querySelector<HTMLElement>("[data-answer]")!;
  const told = section.querySelector<HTMLElement>("[data-said]")!;  // for who does not see the answer come
  const asked = new URLSearchParams(location.search);
  if (asked.get("revision")) revision.value = asked.get("revision")!;
  const subject: Subject = { api: section.dataset.api!, path: section.dataset.path!, commit: revision.value };
  let turn = 0;

  const query = () => new URLSearchParams({ against: against.value.trim(), revision: revision.value });

  async function weights(box: HTMLElement, now: number): Promise<void> {
    const address = `${subject.api}/changes/weights?${query()}`;
    const said = el("p", { className: "soft", role: "status" }, "Waiting …");
    const bar = el("progress", { max: 1, "aria-label": "Weights read" });
    box.replaceChildren(said, bar);
    try {
      let job = await sendJson<Job>("POST", address, undefined);
      while (now === turn && (job.state === "queued" || job.state === "running")) {
        if (job.state === "running" && job.total) {
          bar.value = job.done / job.total;
          const text = `Reading the weights: ${Math.floor((100 * job.done) / job.total / 10) * 10} %`;
          if (said.textContent !== text) said.textContent = text;
        }
        await pause(400);
        job = await getJson<Job>(address);
      }
      if (now !== turn) return;
      if (job.state !== "done" || !job.result) throw new Error(job.reason || "The comparison was stopped.");
      box.replaceChildren(distance(job.result));
      told.textContent = "The weights are compared.";
    } catch (fault) {
      if (now === turn) box.replaceChildren(el("p", { className: "notice bad", role: "alert" }, (fault as Error).message));
    }
  }

  async function show(): Promise<void> {
    const now = ++turn;
    place.replaceChildren(el("p", { className: "soft" }, "Comparing …"));
    told.textContent = "Comparing …";
    try {
      const answer = await getJson<Changes>(`${subject.api}/changes?${query()}`);
      if (now !== turn) return;
      const box = el("div", { className: "weights-moved" });
      const drawn = changes(answer, subject);
      if (answer.from_weights?.name && answer.to_weights?.name) {
        const button = el("button", { type: "button", className: "quiet" }, "Compare the weights");
        button.addEventListener("click", () => void weights(box, now));
        box.append(button, el("span", { className: "hint" }, " Reads both files: layer by layer, how far they moved."));
      }
      place.replaceChildren(drawn, box);
      const differ = Object.values(answer.answers).filter((each) => each.answer === "changed").length;
      told.textContent = `${differ} of ${Object.keys(answer.answers).length} changed.`;
    } catch (fault) {
      if (now !== turn) return;
      told.textContent = "";
      place.replaceChildren(el("p", { className: "notice bad", role: "alert" }, (fault as Error).message));
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    history.replaceState(null, "", `?${query()}#${section.id}`);
    void show();
  });
  // The latest commits of this repository, once somebody comes to the field.
  against.addEventListener("focus", async () => {
    const commits = await getJson<{ id: string; title: string }[]>(`${subject.api.replace("/api/hearth/", "/api/")}/commits/main?limit=10`).catch(() => []);
    list.append(...commits.filter((commit) => commit.id !== revision.value).map((commit) => el("option", { value: commit.id, label: commit.title })));
  }, { once: true });

  if (asked.get("against")) {
    against.value = asked.get("against")!;
    void show();
    if (location.hash === `#${section.id}`) section.scrollIntoView();
  }
}
