/**
 * What other programs hand to the page: links that the browser or the system opens with it, files that are opened or
 * shared. All of them end in the dialog that shows what is inside, before anything is added.
 */
import { attempt } from '../notice.ts';
import { openDialog } from '../shell/dialogs.ts';
import { sharedFile, sharedFolder } from './shared-names.ts';
import { linkIn } from './shared-text.ts';

type LaunchQueue = {
  setConsumer(consume: (launch: { readonly files: readonly FileSystemFileHandle[] }) => void): void;
};

/** The address under which a magnet link comes back, as `registerProtocolHandler` and the manifest want it. */
export const magnetAddress = './?add=%s';

/** Asks the browser to open magnet links with this page. */
export function registerMagnet(): void {
  void attempt(async () =>
    navigator.registerProtocolHandler('magnet', new URL(magnetAddress, location.href.split('#')[0]).href),
  );
}

/** Once, when somebody is in. The address is made clean, so that a reload does not add again. */
export function takeHandedOver(): void {
  const query = new URLSearchParams(location.search);
  if (location.search !== '') history.replaceState(null, '', location.pathname + location.hash);
  const link = query.get('add') ?? linkIn([query.get('url'), query.get('text'), query.get('title')]);
  if (query.has('shared')) void openShared();
  else if (link !== null) openDialog('add', { source: link });
  const { launchQueue } = window as { readonly launchQueue?: LaunchQueue };
  launchQueue?.setConsumer(({ files: [handle] }) => {
    if (handle !== undefined) void handle.getFile().then(openFile);
  });
}

/** The service worker has put it there. */
async function openShared(): Promise<void> {
  const folder = await caches.open(sharedFolder);
  const answer = await folder.match(sharedFile);
  await folder.delete(sharedFile);
  if (answer !== undefined) await openFile(await answer.blob());
}

async function openFile(file: Blob): Promise<void> {
  openDialog('add', { source: new Uint8Array(await file.arrayBuffer()) });
}
