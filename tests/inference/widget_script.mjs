// Runs web/static/widget.js (its path is the argument) on stand-ins for the elements of a page and the answers of a hub:
// what it sends, what it draws, what it says when something fails.
import assert from "assert";
import fs from "fs";
import vm from "vm";

const SCRIPT = fs.readFileSync(process.argv[2], "utf8");

class Element {
  constructor(tag) {
    Object.assign(this, {tag, children: [], className: "", listeners: {}, dataset: {}, hidden: false, disabled: false, value: "", found: {}});
    this.style = {setProperty(key, value) { this[key] = value; }};
    this.classList = {remove: (name) => { this.className = this.className.replace(" " + name, ""); }};
  }
  set textContent(text) { this.children = [String(text)]; }
  get textContent() { return this.children.map((child) => typeof child === "string" ? child : child.textContent).join(""); }
  append(...nodes) { this.children.push(...nodes); }
  replaceChildren(...nodes) { this.children = nodes; }
  addEventListener(type, listener) { this.listeners[type] = listener; }
  querySelector(selector) { return this.found[selector]?.[0] ?? null; }
  querySelectorAll(selector) { return this.found[selector] ?? []; }
  remove() {}
  scrollIntoView() {}
  focus() {}
}

function makePage(task, fields, fetch) {
  const make = (tag) => new Element(tag), named = {};
  const form = make("form"), set = make("fieldset"), submit = make("button"), chip = make("button"), box = make("section");
  set.found["textarea, input"] = [make("textarea")];
  form.elements = {task: Object.assign(make("select"), {value: task}), stop: make("button"), clear: make("button")};
  form.found = {[`fieldset[data-for="${task}"]`]: [set], "[type=submit]": [submit], fieldset: [set]};
  form.querySelectorAll = (selector) => form.found[selector] ?? [named[selector.match(/name="(\w+)"/)[1]] ??= make("textarea")];
  form.requestSubmit = () => form.listeners.submit({preventDefault() {}});
  chip.dataset.example = JSON.stringify({text: "hi", candidate_labels: ["a", "b"]});
  box.dataset = {model: "a/b", path: "/a/b", state: "cold", csrf: "secret"};
  box.found = {form: [form], "[data-example]": [chip]};
  for (const part of [".state", "progress", ".fault", ".answer", ".chat", ".timing"]) box.found[part] = [make("div")];
  const page = {named, part: (name) => box.found[name][0], asked: null};
  const globals = {
    document: {getElementById: (id) => id === "widget" ? box : null, createElement: make},
    fetch: async (url, options) => { if (options.method) page.asked = {url, headers: options.headers, body: JSON.parse(options.body)}; return fetch(url); },
    FormData: class { [Symbol.iterator]() { return Object.entries(fields)[Symbol.iterator](); } },
    setTimeout: (call) => setTimeout(call, 0), clearTimeout, AbortController, performance, TextDecoderStream,
  };
  vm.runInContext(SCRIPT, vm.createContext(globals));
  page.run = async () => {
    form.requestSubmit();
    while (submit.disabled) await new Promise((resolve) => setTimeout(resolve, 0));
  };
  return page;
}

const reply = (body, status = 200, headers = {}) => (
  {ok: status < 400, status, json: async () => body, headers: {get: (name) => headers[name] ?? null}});
const stream = (...pieces) => ({
  ok: true, status: 200, headers: {get: (name) => name === "content-type" ? "text/event-stream" : null},
  body: new ReadableStream({start(out) { for (const piece of pieces) out.enqueue(new TextEncoder().encode(piece)); out.close(); }})});

async function ask(task, fields, answer) {
  const page = makePage(task, fields, typeof answer === "function" ? answer : () => reply(answer, 200, {"x-compute-time": "0.012"}));
  await page.run();
  page.drawn = page.part(".answer").textContent;
  page.fault = page.part(".fault").textContent;
  return page;
}

let page = await ask("text-classification", {inputs: "x"}, [[{label: "POS", score: .9}]]);
assert.equal(page.drawn, "POS90.0 %");
assert.equal(page.asked.url, "/models/a/b/pipeline/text-classification");
assert.equal(page.asked.headers["X-CSRF-Token"], "secret");
assert.equal(page.part(".timing").textContent, "0.012 s of computing");

page = await ask("zero-shot-classification", {inputs: "x", labels: "a, b"}, [{label: "a", score: .7}]);
assert.deepEqual(page.asked.body.parameters, {candidate_labels: ["a", "b"], multi_label: false});

page = await ask("fill-mask", {inputs: "x"}, [{score: .5, token: 1, token_str: " Rome", sequence: "s"}]);
assert.equal(page.drawn, "Rome50.0 %");

// Offsets count characters, also past one that takes two units.
page = await ask("token-classification", {inputs: "😀 Ada in London"}, [
  {entity_group: "LOC", score: .9, word: "London", start: 9, end: 15}, {entity_group: "PER", score: .99, word: "Ada", start: 2, end: 5}]);
assert.equal(page.drawn, "😀 AdaPER in LondonLOC");

page = await ask("question-answering", {question: "q", context: "c"}, {answer: "Ada", score: .4, start: 0, end: 3});
assert.deepEqual(page.asked.body, {inputs: {question: "q", context: "c"}});
assert.equal(page.drawn, "Ada40.0 %");

page = await ask("sentence-similarity", {source_sentence: "a", sentences: "b\n\nc\n"}, [.9, .1]);
assert.deepEqual(page.asked.body.inputs, {source_sentence: "a", sentences: ["b", "c"]});
assert.equal(page.drawn, "b0.900c0.100");

page = await ask("text-ranking", {query: "a", texts: "b\nc"}, [{index: 1, score: .9}, {index: 0, score: .2}]);
assert.equal(page.drawn, "c0.900b0.200");

page = await ask("feature-extraction", {inputs: "a"}, [[.1, .2]]);
assert.match(page.drawn, /1 × 2/);

// An event may be cut anywhere.
page = await ask("text-generation", {inputs: "Once", max_new_tokens: "5"}, () => stream(
  'data:{"token":{"text":" upon","special":false}}\n\nda', 'ta:{"token":{"text":" a","special":false},"generated_text":" upon a"}\n\n'));
assert.equal(page.drawn, "Once upon a");
assert.equal(page.asked.url, "/models/a/b");
assert.equal(page.asked.body.parameters.max_new_tokens, 5);

const delta = (content) => `data: {"choices":[{"delta":{"content":"${content}"}}]}\n\n`;
page = await ask("conversational", {message: "hi"}, () => stream(delta("Hel"), delta("lo") + "data: [DONE]\n\n"));
assert.deepEqual(page.part(".chat").children.map((bubble) => bubble.textContent), ["hi", "Hello"]);
assert.equal(page.fault, "");

// A cold model: the state is asked for until it is warm, then the request is sent again.
const states = [{state: "loading", progress: .5, estimated_time: 2}, {state: "loading", progress: .9, estimated_time: 1}, {state: "warm"}];
page = await ask("fill-mask", {inputs: "x"}, (url) => url.startsWith("/api/") ? reply(states.shift())
  : states.length ? reply({error: "Model a/b is currently loading", estimated_time: 2}, 503) : reply([{score: .5, token_str: "y"}]));
assert.equal(page.drawn, "y50.0 %");
assert.equal(page.part("progress").hidden, true);

page = await ask("fill-mask", {inputs: "x"}, (url) => url.startsWith("/api/") ? reply({state: "failed", reason: "no memory"})
  : reply({error: "Model a/b is currently loading", estimated_time: 2}, 503));
assert.equal(page.fault, "The model could not be loaded: no memory");

page = await ask("fill-mask", {inputs: "x"}, () => reply({error: "no mask"}, 422));
assert.equal(page.fault, "no mask");

// A message that was not answered is not lost.
page = await ask("conversational", {message: "hi"}, () => reply({error: {message: "no template"}}, 422));
assert.equal(page.fault, "no template");
assert.equal(page.named.message.value, "hi");
