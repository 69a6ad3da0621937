// Puts the hub's whole answers in the place of the rows that the page came with, each section as soon as it comes near.
import { ApiError, getJson } from "../api";
import { el } from "../dom";
import { checklist } from "../inspect/checklist";
import { fit, runtimes } from "../inspect/machines";
import type { Subject } from "../inspect/parts";
import { licence, provenance, safety } from "../inspect/rights";

const drawers: Record<string, (answer: any, subject: Subject) => HTMLElement> = {
  licence, provenance, runtimes, fit, checklist, safety,
};

async function fill(section: HTMLElement, subject: Subject): Promise<void> {
  const what = section.dataset.what!;
  const body = section.querySelector<HTMLElement>("[data-body]")!;
  try {
    const answer = await getJson(`${subject.api}/${what}?revision=${subject.commit}`);
    body.replaceChildren(drawers[what]!(answer, subject));
  } catch (fault) {
    const absent = fault instanceof ApiError && fault.status === 404;
    body.replaceChildren(el("p", { className: absent ? "soft" : "notice bad" }, absent ? "This hub does not say." : (fault as Error).message));
  }
  section.dataset.filled = "true";
}

/** Keeps the section that the address names in view while those above it fill, until the reader moves. */
function keepPlace(): () => void {
  let moved = !location.hash;
  for (const kind of ["wheel", "touchstart", "pointerdown", "keydown"]) addEventListener(kind, () => { moved = true; }, { once: true, passive: true });
  return () => {
    if (!moved) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  };
}

export function start(root: HTMLElement): void {
  const subject: Subject = { api: root.dataset.api!, path: root.dataset.path!, commit: root.dataset.commit!, asked: root.dataset.asked || undefined };
  const settle = keepPlace();
  const watcher = new IntersectionObserver((seen) => {
    for (const entry of seen) {
      if (!entry.isIntersecting) continue;
      watcher.unobserve(entry.target);
      void fill(entry.target as HTMLElement, subject).then(settle);
    }
  }, { rootMargin: "600px" });
  for (const section of root.querySelectorAll<HTMLElement>("[data-what]")) watcher.observe(section);
}
