/** DNSLink (dnslink.dev): a TXT record of `_dnslink.DOMAIN`, or of the domain itself, that names a content path. */

/** DNS answers come without their time to live here; domains change what they show by the minute, not by the second. */
const ttlMs = 60_000;
const textMax = 1024;

/** Null: the domain says nothing. Of several the first in order of their text counts, so that all read the same. */
export async function readDnslink(
  lookUpText: (name: string, signal?: AbortSignal) => Promise<readonly string[]>,
  domain: string,
  signal?: AbortSignal,
): Promise<{ readonly path: string; readonly ttlMs: number } | null> {
  const bare = domain.replace(/\.$/, '').toLowerCase();
  for (const name of bare.startsWith('_dnslink.') ? [bare] : [`_dnslink.${bare}`, bare]) {
    const texts = await lookUpText(name, signal).catch(() => []);
    const paths = texts
      .filter((text) => text.length <= textMax)
      .flatMap((text) => /^dnslink=(\/(?:ipfs|ipns)\/[^\s]+)$/.exec(text.trim())?.[1] ?? [])
      .sort();
    if (paths[0] !== undefined) return { path: paths[0], ttlMs };
  }
  return null;
}
