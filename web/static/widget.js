// Asks a model from its page. Works on what widget.html has rendered; uses nothing but the browser.
// Texts of models and people only ever become text nodes.
(() => {
  "use strict";

  const sleep = (ms, signal) => new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); });
  });

  function make(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  }

  const percent = (score) => (100 * score).toFixed(1) + " %";

  // --- answers, drawn by task

  // rows: [label, share of the track 0..1, text at the right]
  function bars(rows) {
    const list = make("ul", "bars");
    for (const [label, share, text] of rows) {
      const item = make("li"), track = make("span", "track"), fill = make("span", "fill");
      fill.style.width = 100 * Math.min(1, Math.max(0, share)) + "%";
      track.append(fill);
      item.append(make("span", "", label), make("span", "number", text), track);
      list.append(item);
    }
    return list;
  }

  const labels = (answer) => {
    const rows = Array.isArray(answer[0]) ? answer[0] : answer;
    return bars(rows.map((row) => [row.label, row.score, percent(row.score)]));
  };

  // Offsets count characters, JavaScript's strings count UTF-16 units.
  function entities(answer, asked) {
    const characters = Array.from(asked.inputs), out = make("p", "said");
    let at = 0;
    for (const entity of [...answer].sort((a, b) => a.start - b.start)) {
      if (entity.start < at) continue;
      const kind = (entity.entity_group || entity.entity || "").replace(/^[BIESLU]-/, "");
      const hue = Array.from(kind).reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 360, 7);
      const span = make("span", "entity", characters.slice(entity.start, entity.end).join(""));
      span.style.setProperty("--hue", hue);
      span.title = percent(entity.score);
      span.append(make("small", "", kind));
      out.append(characters.slice(at, entity.start).join(""), span);
      at = entity.end;
    }
    out.append(characters.slice(at).join(""));
    return out;
  }

  const drawers = {
    "text-classification": labels,
    "zero-shot-classification": (answer) => labels(
      Array.isArray(answer) ? answer : answer.labels.map((label, i) => ({label, score: answer.scores[i]}))),
    "fill-mask": (answer) => bars((Array.isArray(answer[0]) ? answer[0] : answer).map(
      (row) => [row.token_str.trim() || row.token_str, row.score, percent(row.score)])),
    "token-classification": entities,
    "question-answering": (answer) => {
      const best = Array.isArray(answer) ? answer[0] : answer;
      return bars([[best.answer || "(no answer in the text)", best.score, percent(best.score)]]);
    },
    "sentence-similarity": (answer, asked) => bars(answer.map(
      (score, i) => [asked.inputs.sentences[i], score, score.toFixed(3)])),
    "text-ranking": (answer, asked) => bars(answer.map(
      (row) => [asked.texts[row.index], row.score, row.score.toFixed(3)])),
    "feature-extraction": (answer) => {
      const sizes = [];
      let inner = answer;
      while (Array.isArray(inner)) { sizes.push(inner.length); inner = inner[0]; }
      const flat = answer.flat(Infinity).slice(0, 48).map((value) => value.toFixed(3));
      const out = make("div");
      out.append(make("p", "meta", "numbers: " + sizes.join(" × ")), make("p", "vector", flat.join("  ") + " …"));
      return out;
    },
    "text-generation": (answer, asked) => {
      const text = (Array.isArray(answer) ? answer[0] : answer).generated_text, out = make("p", "said");
      out.append(make("span", "given", asked.inputs), text.startsWith(asked.inputs) ? text.slice(asked.inputs.length) : text);
      return out;
    },
  };

  // --- questions, read from the form by task

  const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

  const readers = {
    "question-answering": (f) => ({inputs: {question: f.question, context: f.context}}),
    "zero-shot-classification": (f) => ({inputs: f.inputs, parameters: {
      candidate_labels: f.labels.split(",").map((label) => label.trim()).filter(Boolean), multi_label: f.multi_label === "on"}}),
    "sentence-similarity": (f) => ({inputs: {source_sentence: f.source_sentence, sentences: lines(f.sentences)}}),
    "text-ranking": (f) => ({query: f.query, texts: lines(f.texts)}),
    "token-classification": (f) => ({inputs: f.inputs, parameters: {aggregation_strategy: "simple"}}),
    "text-generation": (f) => ({inputs: f.inputs, parameters: {max_new_tokens: Number(f.max_new_tokens) || 100}}),
  };
  const plain = (f) => ({inputs: f.inputs});

  // --- events of a stream: "data: ..." lines

  async function* events(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const {done, value} = await reader.read();
      if (done) return;
      rest += value;
      const parts = rest.split(/\r?\n/);
      rest = parts.pop();
      for (const line of parts) {
        if (!line.startsWith("data:")) continue;
        const data = line.slice(5).trim();
        if (data === "[DONE]") return;
        if (data) yield JSON.parse(data);
      }
    }
  }

  class Widget {
    constructor(box) {
      this.box = box;
      this.form = box.querySelector("form");
      this.model = box.dataset.model;
      this.path = box.dataset.path;
      this.csrf = box.dataset.csrf;
      this.state = box.querySelector(".state");
      this.progress = box.querySelector("progress");
      this.fault = box.querySelector(".fault");
      this.answer = box.querySelector(".answer");
      this.chat = box.querySelector(".chat");
      this.timing = box.querySelector(".timing");
      this.messages = [];
      this.form.hidden = false;
      this.form.addEventListener("submit", (event) => { event.preventDefault(); this.run(); });
      this.form.elements.stop.addEventListener("click", () => this.running?.abort());
      this.form.elements.clear.addEventListener("click", () => this.forget());
      this.form.elements.task.addEventListener("change", () => this.show());
      this.form.addEventListener("keydown", (event) => this.key(event));
      for (const chip of box.querySelectorAll("[data-example]"))
        chip.addEventListener("click", () => this.fill(JSON.parse(chip.dataset.example)));
      this.show();
      const first = box.querySelector("[data-example]");
      if (first) this.fill(JSON.parse(first.dataset.example), true);
      this.say(box.dataset.state === "cold" ? "The first run loads the model." : "");
      if (box.dataset.state === "loading") this.watch().catch(() => {});
    }

    get task() { return this.form.elements.task.value; }
    get set() { return this.form.querySelector(`fieldset[data-for="${this.task}"]`); }

    show() {
      for (const set of this.form.querySelectorAll("fieldset")) set.hidden = set.disabled = set !== this.set;
      this.chat.hidden = this.task !== "conversational" || this.messages.length === 0;
      this.form.elements.clear.hidden = this.chat.hidden;
      this.answer.replaceChildren();
    }

    key(event) {
      const sends = event.key === "Enter" && event.target.tagName === "TEXTAREA" && !event.isComposing &&
        (this.task === "conversational" ? !event.shiftKey : event.ctrlKey || event.metaKey);
      if (sends) { event.preventDefault(); this.form.requestSubmit(); }
      if (event.key === "Escape") this.running?.abort();
    }

    put(name, value) {
      for (const input of this.form.querySelectorAll(`[name="${name}"]`))
        if (value !== undefined) input.value = value;
    }

    fill(example, quietly) {
      const labels = example.candidate_labels;
      this.put("inputs", example.text);
      this.put("message", example.messages ? example.messages.at(-1).content : example.text);
      this.put("question", example.text ?? example.question);
      this.put("context", example.context);
      this.put("labels", Array.isArray(labels) ? labels.join(", ") : labels);
      this.put("source_sentence", example.source_sentence ?? example.text);
      this.put("sentences", (example.sentences ?? []).join("\n"));
      this.put("query", example.query ?? example.source_sentence);
      this.put("texts", (example.texts ?? example.sentences ?? []).join("\n"));
      if (!quietly) this.set.querySelector("textarea, input")?.focus();
    }

    say(text) { this.state.textContent = text; }

    complain(text) {
      this.fault.textContent = text;
      this.fault.hidden = !text;
    }

    forget() {
      this.running?.abort();
      this.messages = [];
      this.chat.replaceChildren();
      this.show();
    }

    // Sends until the model is loaded; shows how far it is meanwhile.
    async post(target, body, signal) {
      const headers = {"Content-Type": "application/json"};
      if (this.csrf) headers["X-CSRF-Token"] = this.csrf;
      for (;;) {
        const answer = await fetch("/models" + this.path + target,
          {method: "POST", headers, body: JSON.stringify(body), signal});
        if (answer.ok) return answer;
        let fault = {};
        try { fault = await answer.json(); } catch { /* not ours: the status says enough */ }
        if (answer.status !== 503 || fault.estimated_time === undefined)
          throw new Error(fault.error?.message ?? fault.error ?? `The hub answered ${answer.status}.`);
        await this.watch(signal);
      }
    }

    async watch(signal) {
      this.progress.hidden = false;
      try {
        for (;;) {
          const answer = await fetch(`/api/models${this.path}/inference`, {signal});
          if (!answer.ok) throw new Error("The state of the model is not known.");
          const status = await answer.json();
          if (status.state === "failed") throw new Error("The model could not be loaded: " + status.reason);
          if (status.state === "unsupported" || status.state === "off") throw new Error("It does not run here: " + status.reason);
          if (status.state === "warm") return;
          this.progress.value = status.progress ?? 0;
          const seconds = Math.ceil(status.estimated_time ?? 0);
          this.say("Loading the model" + (seconds > 0 ? `, about ${seconds} s` : "") + " …");
          await sleep(400, signal);
          if (status.state === "cold") return;
        }
      } finally {
        this.progress.hidden = true;
        this.say("");
      }
    }

    async run() {
      if (this.running) return;
      this.running = new AbortController();
      const submit = this.form.querySelector("[type=submit]"), signal = this.running.signal;
      submit.disabled = true;
      this.form.elements.stop.hidden = false;
      this.complain("");
      this.timing.textContent = "";
      const began = performance.now();
      try {
        const fields = Object.fromEntries(new FormData(this.form));
        const answer = this.task === "conversational" ? await this.converse(fields.message, signal)
          : this.task === "text-generation" ? await this.generate(fields, signal) : await this.ask(fields, signal);
        const computed = Number(answer.headers.get("x-compute-time"));
        const seconds = computed > 0 ? computed : (performance.now() - began) / 1000;
        this.timing.textContent = seconds.toFixed(seconds < 1 ? 3 : 1) + " s" + (computed > 0 ? " of computing" : "");
      } catch (error) {
        if (!signal.aborted) this.complain(error.message);
      } finally {
        this.running = null;
        submit.disabled = false;
        this.form.elements.stop.hidden = true;
      }
    }

    async ask(fields, signal) {
      const asked = (readers[this.task] ?? plain)(fields);
      this.answer.replaceChildren();
      const answer = await this.post("/pipeline/" + this.task, asked, signal);
      this.answer.replaceChildren((drawers[this.task])(await answer.json(), asked));
      return answer;
    }

    async generate(fields, signal) {
      const asked = readers["text-generation"](fields), out = make("p", "said");
      const answer = await this.post("", {...asked, stream: true}, signal);
      if (!(answer.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
        this.answer.replaceChildren(drawers["text-generation"](await answer.json(), asked));
        return answer;
      }
      out.append(make("span", "given", asked.inputs));
      this.answer.replaceChildren(out);
      for await (const event of events(answer.body)) {
        if (event.error) throw new Error(event.error.message ?? event.error);
        if (event.token && !event.token.special) out.append(event.token.text);
      }
      return answer;
    }

    async converse(text, signal) {
      text = (text ?? "").trim();
      if (!text) throw new Error("Write something first.");
      const bubble = (role, content) => {
        const node = make("div", "bubble " + role, content);
        this.chat.append(node);
        node.scrollIntoView({block: "nearest"});
        return node;
      };
      this.messages.push({role: "user", content: text});
      this.show();
      const mine = bubble("user", text), its = bubble("assistant thinking", "");
      this.put("message", "");
      let said = "";
      try {
        const answer = await this.post("/v1/chat/completions",
          {model: this.model, messages: this.messages, stream: true, max_tokens: 512}, signal);
        for await (const event of events(answer.body)) {
          if (event.error) throw new Error(event.error.message ?? event.error);
          const more = event.choices?.[0]?.delta?.content;
          if (!more) continue;
          said += more;
          its.textContent = said;
          this.chat.scrollTop = this.chat.scrollHeight;
        }
        return answer;
      } finally {
        its.classList.remove("thinking");
        if (said) {
          this.messages.push({role: "assistant", content: said});
        } else {
          // Nothing came: the question goes back where it was written.
          this.messages.pop();
          mine.remove();
          its.remove();
          this.put("message", text);
        }
      }
    }
  }

  // --- the owner's box: load, unload, pin

  function manage(box) {
    const row = box.querySelector(".row"), fault = box.querySelector(".fault");
    row.hidden = false;
    row.addEventListener("click", async (event) => {
      const button = event.target.closest("[data-action]");
      if (!button) return;
      button.disabled = true;
      const answer = await fetch(`${box.dataset.path}/${button.dataset.action}`,
        {method: "POST", headers: {"X-CSRF-Token": box.dataset.csrf}});
      const status = await answer.json().catch(() => ({}));
      button.disabled = false;
      fault.textContent = answer.ok ? "" : status.error ?? `The hub answered ${answer.status}.`;
      if (!answer.ok) return;
      box.querySelector('[data-field="state"]').textContent = status.state;
      const pin = row.querySelector('[data-action$="pin"]');
      if (pin) {
        pin.dataset.action = status.pinned ? "unpin" : "pin";
        pin.textContent = status.pinned ? "Unpin" : "Pin";
      }
    });
  }

  const box = document.getElementById("widget"), owner = document.getElementById("manage");
  if (box) new Widget(box);
  if (owner) manage(owner);
})();
