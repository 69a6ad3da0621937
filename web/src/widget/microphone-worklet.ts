// Runs on the thread of sound: hands each piece of what the microphone hears, mixed to one channel, to the page.
declare const registerProcessor: (name: string, processor: unknown) => void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

const piece = 2048;  // samples; about 20 messages a second

class Listener extends AudioWorkletProcessor {
  private held = new Float32Array(piece);
  private count = 0;

  process([channels]: Float32Array[][]): boolean {
    const length = channels?.[0]?.length ?? 0;
    for (let i = 0; i < length; ++i) {
      let sum = 0;
      for (const channel of channels!) sum += channel[i]!;
      this.held[this.count++] = sum / channels!.length;
      if (this.count < piece) continue;
      this.port.postMessage(this.held, [this.held.buffer]);
      this.held = new Float32Array(piece);
      this.count = 0;
    }
    return true;
  }
}

registerProcessor("hearth-listener", Listener);
