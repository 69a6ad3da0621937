// A picture or a recording to ask a model about: chosen, dropped, pasted, recorded, or an example of the card. The form is the
// server's (widget.html); one of these belongs to each of its fieldsets that has a file.
import { bytes, el } from "../dom";
import { Recording, microphoneFault, whyNoMicrophone } from "./recorder";

const longestRecording = 60;  // seconds; models of sound listen to less, and the hub takes no more than some megabytes

const types: Record<string, string> = {
  png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", webp: "image/webp", gif: "image/gif",
  wav: "audio/wav", flac: "audio/flac", ogg: "audio/ogg", oga: "audio/ogg", opus: "audio/ogg", mp3: "audio/mpeg",
};

/** The type that the hub is told; browsers know it from the name, and not all of them all of these. */
export function typeOf(file: File): string {
  const byName = types[file.name.split(".").pop()?.toLowerCase() ?? ""];
  return byName ?? (file.type || "application/octet-stream");
}

const clock = (seconds: number) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

export class FilePlace {
  private chosen: File | undefined;
  private address = "";
  private recording: Recording | undefined;

  constructor(private readonly box: HTMLElement, private readonly changed: () => void, private readonly complain: (text: string) => void) {
    const input = this.part<HTMLInputElement>("input[type=file]");
    input.addEventListener("change", () => this.take(input.files?.[0]));
    const zone = this.part(".file-drop");
    zone.addEventListener("dragover", (event) => this.over(event, true));
    zone.addEventListener("dragleave", (event) => this.over(event, false));
    zone.addEventListener("drop", (event) => {
      this.over(event, false);
      this.take(event.dataTransfer?.files[0]);
    });
    if (this.kind === "audio") this.prepareRecorder();
  }

  get file(): File | undefined { return this.chosen; }
  get kind(): string { return this.box.dataset.kind!; }

  private part<T extends HTMLElement>(selector: string): T { return this.box.querySelector<T>(selector)!; }

  private over(event: DragEvent, inside: boolean): void {
    event.preventDefault();
    this.part(".file-drop").classList.toggle("over", inside);
  }

  /** Takes a file of the fitting kind, and shows it; others are refused with a sentence. */
  take(file: File | undefined): void {
    if (!file) return;
    if (!typeOf(file).startsWith(`${this.kind}/`)) {
      this.complain(this.kind === "image" ? "This is no picture that the model can look at: PNG, JPEG, WebP and GIF are." : "This is no recording that the model can listen to: WAV, FLAC, Ogg and MP3 are.");
      return;
    }
    this.complain("");
    this.chosen = file;
    // The browser's field names the file too, however it came.
    const held = new DataTransfer();
    held.items.add(file);
    this.part<HTMLInputElement>("input[type=file]").files = held.files;
    URL.revokeObjectURL(this.address);
    this.address = URL.createObjectURL(file);
    this.show(file);
    this.changed();
  }

  private show(file: File): void {
    const place = this.part(".preview");
    const about = el("figcaption", { className: "meta" }, `${file.name}, ${bytes(file.size)}`);
    if (this.kind === "image") {
      const image = el("img", { src: this.address, alt: `The chosen picture, ${file.name}` });
      image.addEventListener("load", () => about.append(`, ${image.naturalWidth} × ${image.naturalHeight}`));
      image.addEventListener("error", () => this.complain("The browser cannot show this picture; the model may refuse it too."));
      place.replaceChildren(image, about);
    } else {
      place.replaceChildren(el("audio", { src: this.address, controls: true, "aria-label": `The chosen recording, ${file.name}` }), about);
    }
    place.hidden = false;
  }

  /** A file of the repository, as the card's examples name them. */
  async example(address: string): Promise<void> {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`The example could not be loaded (${answer.status}).`);
    const name = decodeURIComponent(address.split("/").pop() ?? "example");
    this.take(new File([await answer.blob()], name));
  }

  private prepareRecorder(): void {
    const button = this.part<HTMLButtonElement>("button[name=record]");
    const why = whyNoMicrophone();
    button.disabled = why !== "";
    this.part(".no-microphone").textContent = why;
    button.addEventListener("click", () => void this.toggle(button).catch((fault: unknown) => {
      this.showRecording(false);
      this.complain(microphoneFault(fault));
    }));
  }

  private showRecording(runs: boolean): void {
    const button = this.part<HTMLButtonElement>("button[name=record]");
    button.textContent = runs ? "Stop" : "Record";
    button.classList.toggle("recording", runs);
    button.disabled = false;
    this.part(".listening").hidden = !runs;
  }

  private async toggle(button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    if (this.recording) {
      const { recording } = this;
      this.recording = undefined;
      const file = await recording.end();
      this.showRecording(false);
      if (file) this.take(file);
      else this.complain("Nothing was recorded.");
      return;
    }
    this.complain("");
    const meter = this.part<HTMLMeterElement>("meter"), elapsed = this.part(".elapsed");
    meter.value = 0;
    elapsed.textContent = clock(0);
    this.recording = await Recording.begin((seconds, level) => {
      meter.value = level;
      elapsed.textContent = clock(seconds);
      if (seconds >= longestRecording && this.recording && !button.disabled) void this.toggle(button);
    });
    this.showRecording(true);
  }
}
