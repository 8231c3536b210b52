/**
 * Keeps the page itself, so that it opens at once and also while the node is off; nothing of what the node says is
 * kept. It is looked for on the node first, for that is near; only when there is no answer the kept one is shown.
 * Parts with a hash in their name never change, and go when the page no longer is the one that they belong to.
 */
import { sharedFile, sharedFolder } from './shared-names.ts';

type FetchEvent = Event & {
  readonly request: Request;
  respondWith(answer: Promise<Response> | Response): void;
};
type LifeEvent = Event & { waitUntil(work: Promise<unknown>): void };
type Worker = {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'fetch', handle: (event: FetchEvent) => void): void;
  addEventListener(type: 'install' | 'activate', handle: (event: LifeEvent) => void): void;
};

const worker = globalThis as unknown as Worker;
const folderName = 'tequio-page';
const page = new URL('./', worker.registration.scope);
/** Of a torrent file that is shared with the page. */
const fileBytesMax = 64 << 20;

worker.addEventListener('install', (event) => {
  event.waitUntil(
    fetch(page)
      .then(keepPage)
      .then(() => worker.skipWaiting()),
  );
});

worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== page.origin || !url.pathname.startsWith(page.pathname)) return;
  const path = url.pathname.slice(page.pathname.length);
  if (request.method === 'POST' && path === 'share') event.respondWith(takeShared(request));
  else if (request.method !== 'GET') return;
  else if (request.mode === 'navigate' && path === '') event.respondWith(answerPage(request));
  else if (path.startsWith('assets/')) event.respondWith(answerAsset(request));
});

async function answerPage(request: Request): Promise<Response> {
  try {
    const answer = await fetch(request);
    if (answer.ok) await keepPage(answer.clone());
    return answer;
  } catch (error) {
    const kept = await (await caches.open(folderName)).match(page);
    if (kept === undefined) throw error;
    return kept;
  }
}

/** Another page than the one that is kept has other parts. */
async function keepPage(answer: Response): Promise<void> {
  if (!answer.ok) return;
  const folder = await caches.open(folderName);
  const [before, now] = [await (await folder.match(page))?.text(), await answer.clone().text()];
  if (before === now) return;
  await caches.delete(folderName);
  await (await caches.open(folderName)).put(page, answer);
}

async function answerAsset(request: Request): Promise<Response> {
  const folder = await caches.open(folderName);
  const kept = await folder.match(request);
  if (kept !== undefined) return kept;
  const answer = await fetch(request);
  if (answer.ok) await folder.put(request, answer.clone());
  return answer;
}

/** A file goes to the page by way of the cache; a link by way of the address. */
async function takeShared(request: Request): Promise<Response> {
  const form = await request.formData();
  const file = form.get('torrent');
  const to = new URL(page);
  if (file instanceof File && file.size > 0 && file.size <= fileBytesMax) {
    await (await caches.open(sharedFolder)).put(new URL(sharedFile, page), new Response(file));
    to.searchParams.set('shared', '1');
  } else {
    for (const name of ['url', 'text', 'title']) {
      const text = form.get(name);
      if (typeof text === 'string' && text !== '') to.searchParams.set(name, text.slice(0, 20_000));
    }
  }
  return Response.redirect(to.href, 303);
}
