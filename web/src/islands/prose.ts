// Colours code and draws formulas on a card, each by a part that is loaded only when the card has some.
export async function start(article: HTMLElement): Promise<void> {
  const code = article.querySelectorAll<HTMLElement>("pre > code[class*=language-]:not(.language-math)");
  const formulas = article.querySelectorAll<HTMLElement>(".math, code.language-math");
  if (formulas.length > 0) drawWhenNear([...formulas]);
  if (code.length > 0) {
    const { highlightBlock } = await import("../highlight");
    code.forEach((block) => void highlightBlock(block, languageOf(block)));
  }
}

/** What draws formulas, with its fonts, weighs as much as the page: it comes with the first formula that comes near the window, or to be printed. */
function drawWhenNear(formulas: HTMLElement[]): void {
  const draw = async (places: HTMLElement[]) => {
    places.forEach((place) => near.unobserve(place));
    const part = await import("../prose/formulas");
    places.forEach((place) => part.draw(place));
  };
  const near = new IntersectionObserver((entries) => {
    const seen = entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target as HTMLElement);
    if (seen.length > 0) void draw(seen);
  }, { rootMargin: "300px 0px" });
  formulas.forEach((place) => near.observe(place));
  window.addEventListener("beforeprint", () => void draw(formulas.filter((place) => place.isConnected && !place.classList.contains("drawn"))), { once: true });
}

function languageOf(code: HTMLElement): string {
  return [...code.classList].find((name) => name.startsWith("language-"))?.slice("language-".length) ?? "";
}
