// "What changed" of the inspector's page: offers the latest commits, and lets the weights be compared, which takes a job.
import { getJson, sendJson } from "../api";
import { el } from "../dom";
import { distance, type Distance } from "../inspect/changes";

interface Job {
  state: "none" | "queued" | "running" | "done" | "failed" | "cancelled";
  done: number;
  total: number;
  reason?: string;
  result?: Distance;
}
const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

async function weights(box: HTMLElement, address: string): Promise<void> {
  const said = el("p", { className: "soft", role: "status" }, "Waiting …");
  const bar = el("progress", { max: 1, "aria-label": "Weights read" });
  box.replaceChildren(said, bar);
  try {
    let job = await sendJson<Job>("POST", address, undefined);
    while (job.state === "queued" || job.state === "running") {
      if (job.state === "running" && job.total) {
        bar.value = job.done / job.total;
        const text = `Reading the weights: ${Math.floor((100 * job.done) / job.total / 10) * 10} %`;
        if (said.textContent !== text) said.textContent = text;
      }
      await pause(400);
      job = await getJson<Job>(address);
    }
    if (job.state !== "done" || !job.result) throw new Error(job.reason || "The comparison was stopped.");
    box.replaceChildren(el("p", { className: "visually-hidden", role: "status" }, "The weights are compared."), distance(job.result));
  } catch (fault) {
    box.replaceChildren(el("p", { className: "notice bad", role: "alert" }, (fault as Error).message));
  }
}

export function start(section: HTMLElement): void {
  const api = section.dataset.api!;
  const against = section.querySelector<HTMLInputElement>("[name=against]")!;
  const list = section.querySelector("datalist")!;
  against.addEventListener("focus", async () => {
    const commits = await getJson<{ id: string; title: string }[]>(`${api.replace("/api/hearth/", "/api/")}/commits/main?limit=10`).catch(() => []);
    list.append(...commits.map((commit) => el("option", { value: commit.id, label: commit.title })));
  }, { once: true });

  const box = section.querySelector<HTMLElement>(".weights-moved");
  box?.querySelector("button")?.addEventListener("click", () => {
    const query = new URLSearchParams({ against: box.dataset.against!, revision: box.dataset.revision! });
    void weights(box, `${api}/changes/weights?${query}`);
  });
}
