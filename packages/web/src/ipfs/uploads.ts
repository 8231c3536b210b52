/** Files on their way into the tree, a few at a time, with what is known of how far they are. */
import { signal } from '@preact/signals';
import { node } from '../node.ts';
import { tell } from '../notice.ts';
import { say } from '../words/words.ts';

/** A file, and where it goes below the folder that is open: `photos/one.jpg`. */
export type PickedFile = { readonly path: string; readonly file: File };

export type UploadState = {
  readonly fileCount: number;
  readonly doneCount: number;
  readonly bytes: number;
  readonly sentBytes: number;
};

/** Null: nothing is being sent. */
export const uploading = signal<UploadState | null>(null);
/** Counts up with every change of the tree by this page, so that what is shown is asked for again at once. */
export const treeChange = signal(0);

const atOnce = 3;
const pickedMax = 100_000;

const waiting: (PickedFile & { readonly folder: string })[] = [];
const underWay = new Map<XMLHttpRequest, number>();
let failedCount = 0;

/** @param folder `/`, or without a slash at the end */
export function upload(files: readonly PickedFile[], folder: string): void {
  if (files.length === 0) return;
  const before = uploading.value ?? { fileCount: 0, doneCount: 0, bytes: 0, sentBytes: 0 };
  uploading.value = {
    ...before,
    fileCount: before.fileCount + files.length,
    bytes: before.bytes + files.reduce((sum, { file }) => sum + file.size, 0),
  };
  waiting.push(...files.map((picked) => ({ ...picked, folder })));
  sendNext();
}

/** What is there already stays. */
export function cancelUploads(): void {
  waiting.length = 0;
  for (const request of underWay.keys()) request.abort();
}

function sendNext(): void {
  while (underWay.size < atOnce) {
    const next = waiting.shift();
    if (next === undefined) break;
    send(next);
  }
  if (underWay.size === 0 && waiting.length === 0) end();
}

function end(): void {
  const ended = uploading.value;
  uploading.value = null;
  treeChange.value++;
  if (ended !== null && ended.doneCount > 0) tell(say('ipfs.added', { n: ended.doneCount }));
  if (failedCount > 0) tell(say('ipfs.addFailed', { n: failedCount }), true);
  failedCount = 0;
}

/** `fetch` does not say how much it has sent. */
function send({ path, file, folder }: PickedFile & { readonly folder: string }): void {
  const request = new XMLHttpRequest();
  underWay.set(request, 0);
  request.open('PUT', node.ipfsUploadUrl(`${folder === '/' ? '' : folder}/${path}`));
  request.setRequestHeader('content-type', 'application/octet-stream');
  request.upload.onprogress = ({ loaded }) => markSent(request, loaded);
  request.onloadend = () => {
    const isDone = request.status === 200;
    markSent(request, isDone ? file.size : 0);
    underWay.delete(request);
    const state = uploading.value;
    if (state !== null && isDone) uploading.value = { ...state, doneCount: state.doneCount + 1 };
    else if (request.status !== 0) failedCount++;
    if (request.status >= 400) tell(`${path.slice(0, 100)}: ${sentenceOf(request.responseText)}`, true);
    treeChange.value++;
    sendNext();
  };
  request.send(file);
}

function markSent(request: XMLHttpRequest, bytes: number): void {
  const state = uploading.value;
  const before = underWay.get(request) ?? 0;
  underWay.set(request, bytes);
  if (state !== null) uploading.value = { ...state, sentBytes: state.sentBytes + bytes - before };
}

function sentenceOf(problem: string): string {
  try {
    return String((JSON.parse(problem) as { detail?: unknown }).detail ?? '');
  } catch {
    return say('error.title');
  }
}

/** What a file chooser gives; of a folder with its path. */
export function filesOfInput(input: HTMLInputElement): readonly PickedFile[] {
  const files = [...(input.files ?? [])].map((file) => ({
    path: file.webkitRelativePath || file.name,
    file,
  }));
  // So that the same file can be chosen again.
  input.value = '';
  return files;
}

/** What was dropped or pasted, folders with all that is in them. To be called before anything is awaited. */
export async function filesOfTransfer(data: DataTransfer): Promise<readonly PickedFile[]> {
  const entries = [...data.items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  if (entries.length === 0) return [...data.files].map((file) => ({ path: file.name, file }));
  const found: PickedFile[] = [];
  const open = [...entries];
  for (let entry = open.shift(); entry !== undefined && found.length < pickedMax; entry = open.shift()) {
    if (entry.isDirectory) open.unshift(...(await entriesIn(entry as FileSystemDirectoryEntry)));
    else
      found.push({
        path: entry.fullPath.replace(/^\/+/, ''),
        file: await fileOf(entry as FileSystemFileEntry),
      });
  }
  return found;
}

/** A reader gives a hundred at a time, and nothing at the end. */
async function entriesIn(folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
