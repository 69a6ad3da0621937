// Follows jobs while one waits or runs: progress as it goes, and the whole page anew when one is over.
import { getJson } from "../api";

interface Answer {
  busy: boolean;
  indexing: number;
  converting: { waiting: number };
  chores: { id: number; state: string; stage: string; done: number; total: number; over: boolean }[];
}

export function start(panes: HTMLElement): void {
  if (panes.dataset.busy !== "yes") return;
  const open = new Set([...panes.querySelectorAll<HTMLElement>("[data-job-progress]")].map((part) => part.dataset.jobProgress));

  async function look(): Promise<void> {
    const answer = await getJson<Answer>("/api/hearth/admin/jobs").catch(() => undefined);
    if (!answer) return;
    if (answer.chores.some((chore) => chore.over && open.has(String(chore.id)))) return window.location.reload();
    for (const chore of answer.chores) {
      const state = panes.querySelector(`[data-job-state="${chore.id}"]`);
      const progress = panes.querySelector(`[data-job-progress="${chore.id}"]`);
      if (state) state.textContent = chore.state;
      if (progress) progress.textContent = `${chore.stage || "waiting"} ${chore.done || ""}${chore.total ? ` of ${chore.total}` : ""}`;
    }
    const queue = (name: string, count: number) => {
      const place = panes.querySelector(`[data-queue="${name}"]`);
      if (place) place.textContent = String(count);
    };
    queue("indexing", answer.indexing);
    queue("converting", answer.converting.waiting);
    window.setTimeout(look, 1000);
  }
  window.setTimeout(look, 500);
}
