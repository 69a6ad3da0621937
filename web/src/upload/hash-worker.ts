// Hashes a file beside the page: gets {file}, answers {done: bytes} as it goes and {hex} at the end, or {fault}.
import { Sha256 } from "./sha256";

const PIECE = 4 << 20;  // large enough for few reads, small enough for memory

self.onmessage = async (event: MessageEvent<{ file: File }>) => {
  const { file } = event.data;
  try {
    const hash = new Sha256();
    for (let at = 0; at < file.size; at += PIECE) {
      hash.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
      self.postMessage({ done: Math.min(at + PIECE, file.size) });
    }
    self.postMessage({ hex: hash.hex() });
  } catch (fault) {
    self.postMessage({ fault: `The file cannot be read: ${(fault as Error).message}` });
  }
};
