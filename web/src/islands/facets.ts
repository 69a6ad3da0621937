// Makes a list instant: a facet, sort, page or name replaces the results in place, and the address follows, so that back, reload
// and a copied link work as without it. What it fetches is the very page that the link would open.
import { addCopyButtons } from "../copy";
import { toast } from "../toast";

const typingPause = 220;  // milliseconds

export function start(root: HTMLElement): void {
  let running: AbortController | undefined;
  let timer: number | undefined;
  const parts = () => [...root.querySelectorAll<HTMLElement>("[data-part]")];

  // Where the focus is, as something that can be found in the new page.
  const focusPath = (): string | undefined => {
    const active = document.activeElement as HTMLElement | null;
    if (!active || !root.contains(active)) return undefined;
    const facet = active.closest<HTMLElement>("[data-facet]")?.dataset.facet;
    if (active instanceof HTMLInputElement && active.name) return `input[name="${active.name}"]:not([type=hidden])`;
    if (facet && active.dataset.value !== undefined) return `[data-facet="${facet}"] [data-value="${CSS.escape(active.dataset.value)}"]`;
    if (facet && active.tagName === "SUMMARY") return `[data-facet="${facet}"] > summary`;
    if (active.closest(".sorts")) return ".sorts [aria-current]";
    return undefined;
  };

  function take(page: Document): void {
    const focus = focusPath();
    const field = document.activeElement instanceof HTMLInputElement ? document.activeElement : undefined;
    const caret = field?.selectionStart ?? null;
    const typed = field?.value;
    const open = new Map([...root.querySelectorAll<HTMLDetailsElement>("[data-facet]")].map((facet) => [facet.dataset.facet, facet.open]));
    for (const part of parts()) {
      const fresh = page.querySelector(`[data-part="${part.dataset.part}"]`);
      if (fresh) part.replaceChildren(...document.importNode(fresh, true).childNodes);
    }
    for (const facet of root.querySelectorAll<HTMLDetailsElement>("[data-facet]")) {
      const was = open.get(facet.dataset.facet);
      if (was !== undefined) facet.open = was;
    }
    document.title = page.title;
    dress();
    const target = focus ? root.querySelector<HTMLElement>(focus) : null;
    target?.focus({ preventScroll: true });
    if (target instanceof HTMLInputElement && typed !== undefined) {
      target.value = typed;
      if (caret !== null) target.setSelectionRange(caret, caret);
    }
  }

  async function go(address: string, history: "push" | "replace" | "none"): Promise<void> {
    running?.abort();
    const mine = running = new AbortController();
    root.classList.add("is-loading");
    try {
      const answer = await fetch(address, { signal: mine.signal, headers: { Accept: "text/html" } });
      const text = await answer.text();
      if (mine.signal.aborted) return;
      if (!answer.ok) {
        location.href = address;
        return;
      }
      if (history === "push") window.history.pushState({}, "", address);
      if (history === "replace") window.history.replaceState({}, "", address);
      take(new DOMParser().parseFromString(text, "text/html"));
    } catch (fault) {
      if ((fault as Error).name !== "AbortError") toast("The hub does not answer.");
    } finally {
      if (running === mine) root.classList.remove("is-loading");
    }
  }

  /** A form that leads to another page, the comparison. */
  const leaves = (form: HTMLFormElement) => form.getAttribute("action") !== location.pathname;

  function addressOf(form: HTMLFormElement): string {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) query.append(name, String(value));
    return `${form.getAttribute("action")}${query.size > 0 ? `?${query}` : ""}`;
  }

  function dress(): void {
    for (const hidden of root.querySelectorAll<HTMLElement>("[data-needs-script]")) hidden.hidden = false;
    addCopyButtons(root);
  }

  root.addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>("a[href]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || link.pathname !== location.pathname) return;
    event.preventDefault();
    void go(link.getAttribute("href")!, "push").then(() => {
      if (link.closest(".pager")) root.scrollIntoView({ block: "start" });
    });
  });
  root.addEventListener("submit", (event) => {
    if (leaves(event.target as HTMLFormElement)) return;
    event.preventDefault();
    window.clearTimeout(timer);
    void go(addressOf(event.target as HTMLFormElement), "push");
  });
  root.addEventListener("input", (event) => {
    const field = event.target as HTMLInputElement;
    const facet = field.closest<HTMLElement>("[data-facet]");
    if (facet && field.type === "search") {
      const wanted = field.value.trim().toLowerCase();
      for (const link of facet.querySelectorAll<HTMLAnchorElement>("li a")) link.parentElement!.hidden = !link.textContent!.toLowerCase().includes(wanted);
      return;
    }
    if (!field.form || leaves(field.form) || field.form.matches("[data-on-submit]")) return;
    const form = field.form;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void go(addressOf(form), "replace"), typingPause);
  });
  window.addEventListener("popstate", () => void go(location.pathname + location.search, "none"));
  dress();
}
