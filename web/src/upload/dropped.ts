// Files and whole folders that were dropped or chosen, with the path that each is to have.
import type { Picked } from "./commit";

interface Entry {
  isFile: boolean;
  isDirectory: boolean;
  name: string;
  file(done: (file: File) => void, fail: (fault: DOMException) => void): void;
  createReader(): { readEntries(done: (entries: Entry[]) => void, fail: (fault: DOMException) => void): void };
}

async function walk(entry: Entry, folder: string, found: Picked[]): Promise<void> {
  const path = folder + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((done, fail) => entry.file(done, fail));
    found.push({ file, path });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A reader gives a hundred at a time, and nothing at the end.
    const entries = await new Promise<Entry[]>((done, fail) => reader.readEntries(done, fail));
    if (entries.length === 0) return;
    for (const inner of entries) await walk(inner, `${path}/`, found);
  }
}

export async function pickedFromDrop(transfer: DataTransfer): Promise<Picked[]> {
  // Both lists are gone after the first await.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry() as unknown as Entry | null);
  const files = [...transfer.files];
  const found: Picked[] = [];
  if (entries.every((entry) => entry === null)) return pickedFromList(files);
  for (const entry of entries) if (entry) await walk(entry, "", found);
  return found;
}

export function pickedFromList(files: Iterable<File>): Picked[] {
  return [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}
