// Code in colour, for the languages that cards use. What highlight.js makes is its own escaped HTML of the text.
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import cpp from "highlight.js/lib/languages/cpp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import "../styles/code.css";

const languages = { bash, cpp, css, diff, go, ini, javascript, json, python, rust, sql, typescript, xml, yaml };
for (const [name, language] of Object.entries(languages)) hljs.registerLanguage(name, language);
hljs.registerAliases(["console", "shell", "sh", "zsh"], { languageName: "bash" });
hljs.registerAliases(["jsonc", "json5", "ipynb"], { languageName: "json" });
hljs.registerAliases(["toml"], { languageName: "ini" });

const longest = 100_000;  // characters; colouring more would hold the page

export function highlight(code: HTMLElement): void {
  const name = [...code.classList].find((part) => part.startsWith("language-"))?.slice(9).toLowerCase() ?? "";
  const text = code.textContent ?? "";
  if (!hljs.getLanguage(name) || text.length > longest) return;
  code.innerHTML = hljs.highlight(text, { language: name, ignoreIllegals: true }).value;
}
