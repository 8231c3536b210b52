/** Pages that the gateway makes itself: a folder's list, a block of data for people. No script, all text escaped. */
import { encodeSegments, type GatewayAddress } from './gateway-address.ts';

export type PageEntry = {
  readonly name: string;
  readonly cid: string;
  /** As whoever made the link says; null: not said. */
  readonly bytes: number | null;
};

/** In the page's own tag: a new look is a new page. */
export const pageVersion = '1';

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** @param cid of the folder */
export function directoryPage(
  address: GatewayAddress,
  cid: string,
  entries: readonly PageEntry[],
  isWhole: boolean,
): string {
  const path = `/${address.namespace}/${[address.root, ...address.segments].join('/')}`;
  const here = `${address.mount}${address.segments.length === 0 ? '' : `/${encodeSegments(address.segments)}`}`;
  const rows = entries.map((entry) => entryRow(address, here, entry)).join('\n');
  const back =
    address.segments.length === 0
      ? ''
      : `<tr><td><a href="${escapeHtml(here)}/..">..</a></td><td></td><td></td></tr>\n`;
  const note = isWhole ? '' : '<p>There are more entries than are shown.</p>\n';
  const body = `<p><strong>Index of ${crumbs(address)}</strong></p>
<p>${escapeHtml(cid)}</p>
<table>
${back}${rows}
</table>
${note}`;
  return page(path, body);
}

/** @param text what the block holds, as text */
export function dataPage(address: GatewayAddress, cid: string, codec: string, text: string): string {
  const path = `/${address.namespace}/${[address.root, ...address.segments].join('/')}`;
  const body = `<p><strong>${escapeHtml(path)}</strong></p>
<p>CID ${escapeHtml(cid)}, codec ${escapeHtml(codec)}.
<a href="?format=raw">Block</a> <a href="?format=car">CAR</a> <a href="?format=${escapeHtml(codec)}">${escapeHtml(codec)}</a></p>
<pre>${escapeHtml(text)}</pre>
`;
  return page(path, body);
}

function page(title: string, body: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid #8884; padding: .3rem .5rem; }
td:nth-child(n+2) { font-size: .85em; }
td:last-child { text-align: end; white-space: nowrap; }
pre { background: #8881; overflow-x: auto; padding: 1rem; }
</style>
</head>
<body>
${body}</body>
</html>
`;
}

/** The path, each of its elements a link: on the gateway's own origin, from where it leads to the right one. */
function crumbs(address: GatewayAddress): string {
  const { namespace, root, segments, mode, gatewayHost } = address;
  const origin = mode === 'path' ? '' : mode === 'dnslink' ? `//${root}` : `//${gatewayHost}`;
  const base = mode === 'dnslink' ? origin : `${origin}/${namespace}/${root}`;
  const rootLink = mode === 'dnslink' ? `${base}/` : base;
  let text = `/${namespace}/<a href="${escapeHtml(rootLink)}">${escapeHtml(root)}</a>`;
  for (const [index, segment] of segments.entries()) {
    const href = `${base}/${encodeSegments(segments.slice(0, index + 1))}`;
    text += `/<a href="${escapeHtml(href)}">${escapeHtml(segment)}</a>`;
  }
  return text;
}

function entryRow(address: GatewayAddress, here: string, entry: PageEntry): string {
  const name = encodeSegments([entry.name]);
  const link = `<a href="${escapeHtml(`${here}/${name}`)}">${escapeHtml(entry.name)}</a>`;
  return `<tr><td>${link}</td><td>${cidLink(address, entry, name)}</td><td>${sizeText(entry.bytes)}</td></tr>`;
}

/** The entry by its own CID. The name is encoded twice, as kubo does it: what reads these pages expects that. */
function cidLink(address: GatewayAddress, { cid }: PageEntry, name: string): string {
  const short = cid.length > 12 ? `${cid.slice(0, 4)}…${cid.slice(-4)}` : cid;
  const origin = address.mode === 'path' ? '' : `//${address.gatewayHost}`;
  const href =
    address.mode === 'dnslink'
      ? `https://cid.ipfs.tech/#${cid}" target="_blank" rel="noreferrer noopener`
      : `${origin}/ipfs/${cid}?filename=${encodeURIComponent(name)}`;
  return `<a class="ipfs-hash" translate="no" href="${href}">${escapeHtml(short)}</a>`;
}

function sizeText(bytes: number | null): string {
  if (bytes === null) return '';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
