// Colours code and draws formulas on a card, each by a part that is loaded only when the card has some.
export async function start(article: HTMLElement): Promise<void> {
  const code = article.querySelectorAll<HTMLElement>("pre > code[class*=language-]:not(.language-math)");
  const formulas = article.querySelectorAll<HTMLElement>(".math:not(.drawn), code.language-math");
  if (formulas.length > 0) drawWhenNear([...formulas]);
  if (code.length > 0) {
    const { highlightBlock } = await import("../highlight");
    code.forEach((block) => void highlightBlock(block, languageOf(block)));
  }
}

/**
 * What draws formulas weighs half as much as the page: it comes with the first formula that is in the window (near it, once
 * somebody scrolls), or to be printed.
 */
function drawWhenNear(formulas: HTMLElement[]): void {
  const waiting = new Set(formulas);
  const draw = async (places: HTMLElement[]) => {
    const fresh = places.filter((place) => waiting.delete(place));
    if (fresh.length === 0) return;
    const part = await import("../prose/formulas");
    fresh.forEach((place) => part.draw(place));
  };
  const watch = (margin: string) => {
    const observer = new IntersectionObserver((entries) => {
      void draw(entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target as HTMLElement));
    }, { rootMargin: margin });
    waiting.forEach((place) => observer.observe(place));
    return observer;
  };
  const inside = watch("0px");
  window.addEventListener("scroll", () => { inside.disconnect(); watch("300px 0px"); }, { once: true, passive: true });
  window.addEventListener("beforeprint", () => void draw([...waiting]), { once: true });
}

function languageOf(code: HTMLElement): string {
  return [...code.classList].find((name) => name.startsWith("language-"))?.slice("language-".length) ?? "";
}
