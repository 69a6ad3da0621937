// Colours code and draws formulas on a card, each by a part that is loaded only when the card has some.
export async function start(article: HTMLElement): Promise<void> {
  const code = article.querySelectorAll<HTMLElement>("pre > code[class*=language-]:not(.language-math)");
  const formulas = article.querySelectorAll<HTMLElement>(".math, code.language-math");
  await Promise.all([
    code.length > 0 && import("../highlight").then(({ highlightBlock }) => code.forEach((block) => void highlightBlock(block, languageOf(block)))),
    formulas.length > 0 && import("../prose/formulas").then(({ draw }) => formulas.forEach(draw)),
  ]);
}

function languageOf(code: HTMLElement): string {
  return [...code.classList].find((name) => name.startsWith("language-"))?.slice("language-".length) ?? "";
}
