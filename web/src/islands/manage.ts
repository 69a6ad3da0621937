// The owner's box: load, unload and pin the model.
import { getJson, sendJson } from "../api";

interface Status {
  state: string;
  pinned?: boolean;
}

const settled: Record<string, string[]> = { warm: ["warm", "failed"], unload: ["cold"] };

const sleep = (milliseconds: number) => new Promise((resolve) => window.setTimeout(resolve, milliseconds));

export function start(box: HTMLElement): void {
  const row = box.querySelector<HTMLElement>(".row")!;
  const fault = box.querySelector<HTMLElement>(".fault")!;
  row.hidden = false;
  row.addEventListener("click", async (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("[data-action]");
    if (!button) return;
    button.disabled = true;
    fault.textContent = "";
    try {
      const action = button.dataset.action ?? "";
      let status = await sendJson<Status>("POST", `${box.dataset.path}/${action}`, {});
      const state = box.querySelector('[data-field="state"]')!;
      state.textContent = status.state;
      for (const ends = settled[action] ?? [status.state]; !ends.includes(status.state); state.textContent = status.state) {
        await sleep(400);
        status = await getJson<Status>(box.dataset.path ?? "");
      }
      const pin = row.querySelector<HTMLElement>('[data-action$="pin"]');
      if (pin) {
        pin.dataset.action = status.pinned ? "unpin" : "pin";
        pin.textContent = status.pinned ? "Unpin" : "Pin";
      }
    } catch (error) {
      fault.textContent = (error as Error).message;
    }
    button.disabled = false;
  });
}
