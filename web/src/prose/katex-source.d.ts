// The parts of KaTeX's source that formulas are made by (vite.config.js leaves out the others).
declare module "katex-source/parseTree" {
  export default function parseTree(tex: string, settings: unknown): unknown[];
}
declare module "katex-source/Settings" {
  export default class Settings {
    constructor(options: { displayMode?: boolean; trust?: boolean; maxExpand?: number; maxSize?: number; strict?: string });
    displayMode: boolean;
    maxSize: number;
    minRuleThickness: number;
    strict: unknown;
  }
}
declare module "katex-source/Options" {
  export default class Options {
    constructor(options: { style: unknown; maxSize: number; minRuleThickness: number; strict: unknown });
  }
}
declare module "katex-source/Style" {
  const styles: { DISPLAY: unknown; TEXT: unknown };
  export default styles;
}
declare module "katex-source/buildMathML" {
  export function buildExpression(tree: unknown[], options: unknown): unknown[];
}
declare module "katex-source/mathMLTree" {
  export class MathNode {
    type: string;
    attributes: Record<string, string>;
    children: unknown[];
    classes: string[];
  }
  export class TextNode {
    text: string;
  }
}
