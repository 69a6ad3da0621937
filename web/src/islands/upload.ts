// The upload page: files and folders are dropped or chosen, large ones go to the file storage one after the other with progress,
// can be paused, resumed and left out, and one commit at the end brings all of them into the repository.
import { ApiError } from "../api";
import { bytes, el } from "../dom";
import { commit, planFor, type Picked } from "../upload/commit";
import { pickedFromDrop, pickedFromList } from "../upload/dropped";
import { sendLarge } from "../upload/large";

const AT_ONCE = 2;       // large files on their way
const MAX_ROWS = 2000;   // rows that are shown; the others are only counted

type State = "new" | "waiting" | "sending" | "paused" | "failed" | "ready" | "ignored";

class Item {
  state: State = "new";
  large = false;
  oid?: string;
  controller = new AbortController();
  readonly row = el("li");
  private readonly label = el("span", { className: "state" });
  private readonly bar = el("progress", { max: 1, value: 0 });
  private readonly toggle = el("button", { type: "button", className: "quiet" });
  private readonly remove: HTMLButtonElement;

  constructor(readonly picked: Picked, private readonly onToggle: (item: Item) => void, onRemove: (item: Item) => void) {
    const { path, file } = picked;
    this.bar.setAttribute("aria-label", `Progress of ${path}`);
    this.bar.hidden = true;
    this.toggle.hidden = true;
    this.toggle.addEventListener("click", () => this.onToggle(this));
    this.remove = el("button", { type: "button", className: "quiet", "aria-label": `Leave out ${path}` }, "✕");
    this.remove.addEventListener("click", () => onRemove(this));
    this.row.append(el("span", { className: "name" }, path, " ", el("small", {}, bytes(file.size))), this.label,
      el("span", {}, this.toggle, " ", this.remove), this.bar);
  }

  say(text: string, bad = false): void {
    this.label.textContent = text;
    this.label.classList.toggle("bad", bad);
  }

  progress(done: number): void {
    this.bar.hidden = false;
    this.bar.value = this.picked.file.size === 0 ? 1 : done / this.picked.file.size;
  }

  become(state: State, text: string): void {
    this.state = state;
    this.say(text, state === "failed");
    const word = { sending: "Pause", waiting: "Pause", paused: "Resume", failed: "Try again", new: "", ready: "", ignored: "" }[state];
    this.toggle.hidden = !word || !this.large;
    this.toggle.textContent = word;
    this.toggle.setAttribute("aria-label", `${word} ${this.picked.path}`);
    if (state === "ready" || state === "ignored") this.bar.hidden = true;
  }
}

export function start(form: HTMLElement): void {
  const { api = "", path = "", revision = "main", folder = "" } = form.dataset;
  const field = form.querySelector<HTMLInputElement>("[name=files]")!;
  const drop = form.querySelector<HTMLElement>("[data-drop]")!;
  const button = form.querySelector<HTMLButtonElement>("[data-send]")!;
  const state = form.querySelector<HTMLElement>("[data-state]")!;
  const list = el("ul", { className: "transfers", "aria-label": "Files to upload" });
  const more = el("p", { className: "hint" });
  const buttonText = button.textContent ?? "";
  const items = new Map<string, Item>();
  let active = 0;
  let started = false;
  let over = false;

  const say = (text: string, bad = false) => {
    state.textContent = text;
    state.classList.toggle("bad-text", bad);
  };
  const all = () => [...items.values()];
  const count = (files: number) => `${files} file${files === 1 ? "" : "s"}`;

  function refresh(): void {
    list.hidden = items.size === 0;
    more.textContent = items.size > MAX_ROWS ? `and ${count(items.size - MAX_ROWS)} more` : "";
    button.disabled = items.size === 0 || (started && !all().some((item) => item.state === "new" || item.state === "paused" || item.state === "failed"));
    if (!started) say(items.size === 0 ? "" : `${count(items.size)}, ${bytes(all().reduce((sum, { picked }) => sum + picked.file.size, 0))}`);
  }

  function add(picked: Picked[]): void {
    for (const { file, path: name } of picked) {
      const full = folder ? `${folder}/${name}` : name;
      leaveOut(items.get(full));
      const item = new Item({ file, path: full }, toggle, leaveOut);
      items.set(full, item);
      if (items.size <= MAX_ROWS) list.append(item.row);
    }
    refresh();
    if (started) void plan();
  }

  function leaveOut(item?: Item): void {
    if (!item) return;
    item.controller.abort();
    items.delete(item.picked.path);
    item.row.remove();
    refresh();
    if (started) settle();
  }

  function toggle(item: Item): void {
    if (item.state === "sending" || item.state === "waiting") {
      item.controller.abort();
      item.become("paused", "paused");
      refresh();
    } else {
      item.become("waiting", "waiting");
      pump();
    }
  }

  async function transfer(item: Item): Promise<void> {
    active += 1;
    item.controller = new AbortController();
    const { signal } = item.controller;
    item.become("sending", "reading");
    const { size } = item.picked.file;
    const percent = (done: number) => `${size === 0 ? 100 : Math.floor((100 * done) / size)} %`;
    try {
      item.oid = await sendLarge(item.picked.file, {
        path, signal,
        onHash: (done) => { item.progress(done); item.say(`reading ${percent(done)}`); },
        onSent: (sent) => { item.progress(sent); item.say(`${percent(sent)} of ${bytes(size)}`); },
        onWait: (reason) => item.say(`${reason} Trying again.`),
      });
      if (!signal.aborted) item.become("ready", "stored");
    } catch (fault) {
      if (!signal.aborted) item.become("failed", fault instanceof ApiError ? fault.message : String(fault));
    } finally {
      active -= 1;
      refresh();
      pump();
    }
  }

  function pump(): void {
    for (const item of items.values()) {
      if (active >= AT_ONCE) break;
      if (item.state === "waiting" && item.large) void transfer(item);
    }
    settle();
  }

  function settle(): void {
    if (!started || over || active > 0) return;
    const open = all().filter((item) => item.state === "paused" || item.state === "failed");
    if (all().some((item) => item.state === "new" || item.state === "waiting")) return;
    if (open.length > 0) return say(`${count(open.length)} did not arrive yet: resume or leave out, then the commit follows.`, true);
    const ready = all().filter((item) => item.state === "ready");
    if (ready.length === 0) {
      started = false;
      refresh();
      return say("There is nothing to commit.", true);
    }
    void finish(ready);
  }

  async function finish(ready: Item[]): Promise<void> {
    over = true;
    button.disabled = true;
    const summary = form.querySelector<HTMLInputElement>("[name=summary]")!.value.trim()
      || (ready.length === 1 ? `Upload ${ready[0]!.picked.path}` : `Upload ${count(ready.length)}`);
    const description = form.querySelector<HTMLTextAreaElement>("[name=description]")!.value.trim();
    try {
      say("Committing");
      await commit(api, revision, { summary, description }, ready.map(({ picked, oid }) => ({ ...picked, oid })), new AbortController().signal,
        (sent, total) => say(`Committing, ${Math.floor((100 * sent) / Math.max(total, 1))} %`));
      window.removeEventListener("beforeunload", warn);
      const encode = (text: string) => text.split("/").map(encodeURIComponent).join("/");
      window.location.assign(`${encode(path)}/tree/${encodeURIComponent(revision)}${folder ? `/${encode(folder)}` : ""}`);
    } catch (fault) {
      over = false;
      started = false;
      for (const item of ready) if (!item.large) item.become("new", "");
      say(fault instanceof ApiError ? fault.message : String(fault), true);
      button.disabled = false;
    }
  }

  async function plan(): Promise<void> {
    const fresh = all().filter((item) => item.state === "new");
    try {
      const plans = await planFor(api, revision, fresh.map((item) => item.picked));
      fresh.forEach((item, index) => {
        item.large = plans[index]!.large;
        if (plans[index]!.ignored) item.become("ignored", "left out by .gitignore");
        else if (item.large) item.become("waiting", "waiting");
        else item.become("ready", "goes with the commit");
      });
      refresh();
      pump();
    } catch (fault) {
      started = false;
      refresh();
      say(fault instanceof ApiError ? fault.message : String(fault), true);
    }
  }

  const warn = (event: BeforeUnloadEvent) => { if (started && items.size > 0) event.preventDefault(); };
  window.addEventListener("beforeunload", warn);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (items.size === 0 || over) return;
    started = true;
    for (const item of all()) if (item.state === "paused" || item.state === "failed") item.become("waiting", "waiting");
    refresh();
    say("Uploading");
    void plan();
  });

  // What the page offers instead of the plain field: the same field for files, one for a folder, and the place to drop both.
  const folders = el("input", { type: "file", multiple: true, className: "visually-hidden", tabindex: -1, "aria-hidden": "true" });
  folders.webkitdirectory = true;
  drop.querySelector("[data-choose=files]")!.addEventListener("click", () => field.click());
  drop.querySelector("[data-choose=folder]")!.addEventListener("click", () => folders.click());
  for (const input of [field, folders]) {
    input.addEventListener("change", () => {
      add(pickedFromList(input.files ?? []));
      input.value = "";
    });
  }
  field.className = "visually-hidden";
  field.tabIndex = -1;
  field.setAttribute("aria-hidden", "true");
  field.setAttribute("aria-label", "Files");
  drop.append(field, folders);
  drop.querySelectorAll("[data-without-script]").forEach((part) => part.remove());
  form.querySelector("[data-list]")!.replaceChildren(list, more);

  let inside = 0;
  const mark = (by: number) => {
    inside = Math.max(0, inside + by);
    drop.classList.toggle("over", inside > 0);
  };
  document.addEventListener("dragenter", (event) => { event.preventDefault(); mark(1); });
  document.addEventListener("dragleave", () => mark(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(-inside);
    if (event.dataTransfer) void pickedFromDrop(event.dataTransfer).then(add, (fault) => say(String(fault), true));
  });
  button.textContent = buttonText;
  refresh();
  form.dataset.ready = "true";
}
