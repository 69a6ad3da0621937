// Asks a model from its page. The form is the server's (widget.html); this sends it, shows how far the model is loaded, draws the
// answer, keeps a conversation, and shows the same request as JSON and as code.
import { duration, el } from "../dom";
import { events, fileQuestion, follow, post, questionOf, type Fields, type ModelState, type Question } from "../widget/ask";
import { snippets } from "../widget/code";
import { FilePlace } from "../widget/files";
import { heatMap, picture } from "../widget/pictures";

const mostCompared = 8;  // texts in a heat map

interface Message {
  role: "user" | "assistant";
  content: string;
}
interface Example {
  src?: string;  // a file of the repository
  text?: string;
  question?: string;
  context?: string;
  candidate_labels?: string[] | string;
  source_sentence?: string;
  sentences?: string[];
  query?: string;
  texts?: string[];
  messages?: Message[];
}

class Widget {
  private readonly form: HTMLFormElement;
  private readonly path: string;
  private messages: Message[] = [];
  private running: AbortController | undefined;
  private readonly places = new Map<string, FilePlace>();  // by task

  constructor(private readonly box: HTMLElement) {
    this.form = box.querySelector("form")!;
    this.path = box.dataset.path ?? "";
    this.form.addEventListener("submit", (event) => { event.preventDefault(); void this.run(); });
    this.button("stop").addEventListener("click", () => this.running?.abort());
    this.button("clear").addEventListener("click", () => this.forget());
    this.form.addEventListener("change", (event) => (event.target as HTMLElement).matches("[name=task]") && this.show());
    this.form.addEventListener("input", () => this.showCode());
    this.form.addEventListener("keydown", (event) => this.key(event));
    for (const set of this.form.querySelectorAll<HTMLElement>("fieldset[data-kind]"))
      this.places.set(set.dataset.for!, new FilePlace(set, () => this.showCode(), (text) => this.complain(text)));
    if (this.places.size > 0) document.addEventListener("paste", (event) => this.paste(event));
    for (const chip of box.querySelectorAll<HTMLElement>("[data-example]"))
      chip.addEventListener("click", () => this.fill(JSON.parse(chip.dataset.example!) as Example, true));
    this.show();
    const example = box.querySelector<HTMLElement>("[data-example]:not([data-kind])");
    if (example) this.fill(JSON.parse(example.dataset.example!) as Example, false);
    this.showState({ state: box.dataset.state ?? "" });
    if (box.dataset.state === "loading") void follow(this.path, new AbortController().signal, (now) => this.showState(now)).catch(() => {});
    this.submit.disabled = false;
    box.dataset.ready = "true";
  }

  private part<T extends HTMLElement>(selector: string): T { return this.box.querySelector<T>(selector)!; }
  private button(name: string): HTMLButtonElement { return this.part(`button[name=${name}]`); }
  private get submit(): HTMLButtonElement { return this.part("[type=submit]"); }
  private get task(): string { return (this.form.elements.namedItem("task") as HTMLInputElement).value; }
  private get fields(): Fields { return Object.fromEntries(new FormData(this.form)) as Fields; }

  private get place(): FilePlace | undefined { return this.places.get(this.task); }

  private get question(): Question {
    if (this.place) return fileQuestion(this.task, this.place.file, this.box.dataset.tasks === this.task);
    if (this.task !== "conversational") return questionOf(this.task, this.fields);
    const asked: Message[] = this.fields.message ? [{ role: "user", content: this.fields.message }] : [];
    return { target: "/v1/chat/completions", body: { model: this.box.dataset.model, messages: [...this.messages, ...asked], max_tokens: 512 } };
  }

  private show(): void {
    for (const set of this.form.querySelectorAll<HTMLFieldSetElement>("fieldset[data-for]")) set.hidden = set.disabled = set.dataset.for !== this.task;
    for (const chip of this.form.querySelectorAll<HTMLElement>(".examples [data-example]")) chip.hidden = chip.dataset.kind !== this.place?.kind;
    const log = this.part(".chat");
    log.hidden = this.task !== "conversational" || this.messages.length === 0;
    this.button("clear").hidden = log.hidden;
    this.part(".answer").replaceChildren();
    this.part(".raw").hidden = true;
    this.showCode();
  }

  private paste(event: ClipboardEvent): void {
    const file = event.clipboardData?.files[0];
    if (!file || !this.place) return;
    event.preventDefault();
    this.place.take(file);
  }

  private key(event: KeyboardEvent): void {
    const chatting = this.task === "conversational" ? !event.shiftKey : event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && (event.target as HTMLElement).tagName === "TEXTAREA" && !event.isComposing && chatting) {
      event.preventDefault();
      this.form.requestSubmit();
    }
    if (event.key === "Escape") this.running?.abort();
  }

  private put(name: string, value: string | undefined): void {
    if (value === undefined) return;
    for (const input of this.form.querySelectorAll<HTMLInputElement>(`[name="${name}"]`)) input.value = value;
  }

  private fill(example: Example, focus: boolean): void {
    if (example.src) {
      void this.place?.example(example.src).catch((fault: unknown) => this.complain((fault as Error).message));
      return;
    }
    const labels = example.candidate_labels;
    this.put("inputs", example.text);
    this.put("message", example.messages?.at(-1)?.content ?? example.text);
    this.put("question", example.question ?? example.text);
    this.put("context", example.context);
    this.put("labels", Array.isArray(labels) ? labels.join(", ") : labels);
    this.put("source_sentence", example.source_sentence ?? example.text);
    this.put("sentences", example.sentences?.join("\n"));
    this.put("query", example.query ?? example.source_sentence);
    this.put("texts", (example.texts ?? example.sentences)?.join("\n"));
    this.showCode();
    if (focus) this.form.querySelector<HTMLElement>(`fieldset[data-for="${this.task}"] :is(textarea, input)`)?.focus();
  }

  private showCode(): void {
    const list = this.box.querySelector<HTMLElement>(".live-code");
    if (!list) return;
    for (const { name, code } of snippets(this.path, this.question)) {
      const place = list.querySelector(`[data-code="${name}"] code`);
      if (place) place.textContent = code;
    }
  }

  private showState(now: ModelState): void {
    const badge = this.part(".model-state");
    badge.textContent = { cold: "asleep", warm: "ready", loading: "loading", failed: "failed" }[now.state] ?? now.state;
    badge.className = `badge model-state ${{ warm: "good", loading: "info", failed: "bad" }[now.state] ?? ""}`;
    const progress = this.part<HTMLProgressElement>("progress");
    progress.hidden = now.state !== "loading";
    progress.value = now.progress ?? 0;
    const seconds = Math.ceil(now.estimated_time ?? 0);
    this.part(".state").textContent = now.state === "loading" ? `Loading the model${seconds > 0 ? `, about ${seconds} s` : ""} …` : "";
  }

  private complain(text: string): void {
    const fault = this.part(".fault");
    fault.textContent = text;
    fault.hidden = !text;
  }

  private forget(): void {
    this.running?.abort();
    this.messages = [];
    this.part(".chat").replaceChildren();
    this.show();
  }

  private send(question: Question): Promise<Response> {
    return post(this.path, question, this.running!.signal, (now) => this.showState(now));
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = new AbortController();
    const { signal } = this.running;
    this.submit.disabled = true;
    this.button("stop").hidden = false;
    this.complain("");
    this.part(".timing").textContent = "";
    const began = performance.now();
    try {
      const answer = this.task === "conversational" ? await this.converse() : this.task === "text-generation" ? await this.generate() : await this.ask();
      // A stream's header is sent before most of it is computed.
      const streamed = (answer.headers.get("content-type") ?? "").startsWith("text/event-stream");
      const computed = streamed ? 0 : Number(answer.headers.get("x-compute-time"));
      const seconds = computed > 0 ? computed : (performance.now() - began) / 1000;
      this.part(".timing").textContent = `${duration(seconds)}${computed > 0 ? " of computing" : ""}`;
      this.showState({ state: "warm" });
    } catch (fault) {
      this.part<HTMLProgressElement>("progress").hidden = true;
      this.part(".state").textContent = signal.aborted ? "Stopped." : "";
      if (!signal.aborted) this.complain((fault as Error).message);
    } finally {
      this.running = undefined;
      this.submit.disabled = false;
      this.button("stop").hidden = true;
      this.showCode();
    }
  }

  private showRaw(answer: unknown): void {
    const raw = this.part(".raw");
    raw.hidden = false;
    raw.querySelector("code")!.textContent = JSON.stringify(answer, null, 1).slice(0, 20_000);
  }

  private async ask(): Promise<Response> {
    const { question, task } = this;
    if (question.file?.size === 0) throw new Error(this.place?.kind === "image" ? "Choose a picture first." : "Record something or choose a file first.");
    const place = this.part(".answer");
    place.replaceChildren();
    const answer = await this.send(question);
    const value: unknown = await answer.json();
    place.replaceChildren(picture(task, value, question.body));
    this.showRaw(value);
    if (task === "sentence-similarity") await this.compare(question, place);
    return answer;
  }

  // Vectors of all the texts, where the model gives them, show every pair.
  private async compare(question: Question, place: HTMLElement): Promise<void> {
    const inputs = question.body.inputs as { source_sentence: string; sentences: string[] };
    const texts = [inputs.source_sentence, ...inputs.sentences];
    if (!this.box.dataset.tasks?.split(" ").includes("feature-extraction") || texts.length > mostCompared) return;
    const vectors: unknown = await (await this.send({ target: "/pipeline/feature-extraction", body: { inputs: texts } })).json();
    if (Array.isArray(vectors) && Array.isArray(vectors[0]) && typeof vectors[0][0] === "number") place.append(heatMap(texts, vectors as number[][]));
  }

  private async generate(): Promise<Response> {
    const { question } = this;
    const place = this.part(".answer");
    const answer = await this.send({ ...question, body: { ...question.body, stream: true } });
    if (!(answer.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
      const value: unknown = await answer.json();
      place.replaceChildren(picture("text-generation", value, question.body));
      this.showRaw(value);
      return answer;
    }
    const out = el("p", { className: "said" }, el("span", { className: "given" }, String(question.body.inputs)));
    place.replaceChildren(out);
    for await (const event of events(answer.body!)) if (event.token && !event.token.special) out.append(event.token.text);
    return answer;
  }

  private bubble(role: string, content: string): HTMLElement {
    const node = el("div", { className: `bubble ${role}` }, content);
    this.part(".chat").append(node);
    return node;
  }

  private async converse(): Promise<Response> {
    const text = (this.fields.message ?? "").trim();
    if (!text) throw new Error("Write something first.");
    const body = { ...this.question.body, stream: true };
    this.messages.push({ role: "user", content: text });
    this.show();
    const log = this.part(".chat");
    const mine = this.bubble("user", text), its = this.bubble("assistant thinking", "");
    this.put("message", "");
    let said = "";
    try {
      const answer = await this.send({ target: "/v1/chat/completions", body });
      for await (const event of events(answer.body!)) {
        const more = event.choices?.[0]?.delta?.content;
        if (!more) continue;
        said += more;
        its.textContent = said;
        log.scrollTop = log.scrollHeight;
      }
      return answer;
    } finally {
      its.classList.remove("thinking");
      if (said) {
        this.messages.push({ role: "assistant", content: said });
      } else {
        // Nothing came: the question goes back where it was written.
        this.messages.pop();
        mine.remove();
        its.remove();
        log.hidden = this.messages.length === 0;
        this.button("clear").hidden = log.hidden;
        this.put("message", text);
      }
    }
  }
}

export function start(box: HTMLElement): void {
  new Widget(box);
}
