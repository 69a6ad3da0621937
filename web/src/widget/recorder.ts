// The microphone as a WAV file: 16-bit samples of one channel at the rate that models of speech are trained on. Nothing leaves the
// page before it is sent.
import workletUrl from "./microphone-worklet.ts?worker&url";

const rate = 16_000;

/** Why there is nothing to record with; "" when there is. */
export function whyNoMicrophone(): string {
  if (!window.isSecureContext) return "Browsers lend the microphone only to pages that come by HTTPS, or from this machine itself.";
  return "mediaDevices" in navigator && "AudioWorkletNode" in window ? "" : "This browser gives pages no microphone.";
}

/** RIFF WAVE, format 1, one channel of 16 bits. */
export function wavOf(samples: Float32Array, samplesPerSecond: number): Blob {
  const bytes = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at: number, letters: string) => { for (let i = 0; i < letters.length; ++i) bytes.setUint8(at + i, letters.charCodeAt(i)); };
  text(0, "RIFF");
  bytes.setUint32(4, bytes.byteLength - 8, true);
  text(8, "WAVEfmt ");
  bytes.setUint32(16, 16, true);
  bytes.setUint16(20, 1, true);
  bytes.setUint16(22, 1, true);
  bytes.setUint32(24, samplesPerSecond, true);
  bytes.setUint32(28, 2 * samplesPerSecond, true);
  bytes.setUint16(32, 2, true);
  bytes.setUint16(34, 16, true);
  text(36, "data");
  bytes.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => bytes.setInt16(44 + 2 * i, Math.round(32767 * Math.min(1, Math.max(-1, sample))), true));
  return new Blob([bytes.buffer as ArrayBuffer], { type: "audio/wav" });
}

function joined(pieces: Float32Array[]): Float32Array {
  const all = new Float32Array(pieces.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of pieces) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The browser's own resampler, which filters what the lower rate cannot hold. */
async function resampled(samples: Float32Array, from: number): Promise<Float32Array> {
  if (from === rate || samples.length === 0) return samples;
  const context = new OfflineAudioContext(1, Math.ceil(samples.length * rate / from), rate);
  const buffer = context.createBuffer(1, samples.length, from);
  buffer.copyToChannel(samples as Float32Array<ArrayBuffer>, 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(context.destination);
  source.start();
  return (await context.startRendering()).getChannelData(0);
}

export class Recording {
  private readonly pieces: Float32Array[] = [];
  private count = 0;

  private constructor(private readonly stream: MediaStream, private readonly context: AudioContext,
                      private readonly tell: (seconds: number, level: number) => void) {}

  /** Asks for the microphone and begins. `tell` hears how long it is and how loud the last moment was, 0 to 1. */
  static async begin(tell: (seconds: number, level: number) => void): Promise<Recording> {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false } });
    const context = new AudioContext();
    const recording = new Recording(stream, context, tell);
    try {
      await context.audioWorklet.addModule(workletUrl);
      const listener = new AudioWorkletNode(context, "hearth-listener", { numberOfOutputs: 0 });
      listener.port.onmessage = (event: MessageEvent<Float32Array>) => recording.take(event.data);
      context.createMediaStreamSource(stream).connect(listener);
      await context.resume();
    } catch (fault) {
      await recording.close();
      throw fault;
    }
    return recording;
  }

  private take(piece: Float32Array): void {
    this.pieces.push(piece);
    this.count += piece.length;
    const power = piece.reduce((sum, sample) => sum + sample * sample, 0) / piece.length;
    // 60 dB of the meter: what is softer is silence.
    this.tell(this.count / this.context.sampleRate, power > 0 ? Math.min(1, Math.max(0, 1 + Math.log10(power) / 6)) : 0);
  }

  private async close(): Promise<void> {
    for (const track of this.stream.getTracks()) track.stop();
    if (this.context.state !== "closed") await this.context.close();
  }

  /** Lets the microphone go; what it heard as a file, undefined when that is nothing. */
  async end(): Promise<File | undefined> {
    const from = this.context.sampleRate;
    await this.close();
    const samples = await resampled(joined(this.pieces), from);
    return samples.length > 0 ? new File([wavOf(samples, rate)], "recording.wav", { type: "audio/wav" }) : undefined;
  }
}

/** What went wrong when the microphone was asked for, for a person. */
export function microphoneFault(fault: unknown): string {
  const name = fault instanceof DOMException ? fault.name : "";
  if (name === "NotAllowedError") return "The microphone was not allowed. The browser's address bar lets you change that.";
  if (name === "NotFoundError") return "No microphone was found.";
  if (name === "NotReadableError") return "The microphone is in use by another program.";
  return `The microphone could not be used: ${fault instanceof Error ? fault.message : String(fault)}`;
}
