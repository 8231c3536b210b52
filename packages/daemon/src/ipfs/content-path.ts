/** What people call content: they paste whatever they have been sent. */

/** `/folder/file` of the node's own tree. */
export function isTreePath(path: string): boolean {
  return path.startsWith('/') && !/^\/(?:ipfs|ipns|ipld)\//.test(path);
}

/**
 * `/ipfs/…` or `/ipns/…` of an address: `ipfs://CID/…`, `https://gateway/ipfs/CID/…`, `https://CID.ipfs.gateway/…`.
 * What is none of these stays as it is, for a CID or a path.
 */
export function contentPathOf(text: string): string {
  const given = text.trim();
  const own = /^(?:web\+)?(ipfs|ipns):\/\/(.+)$/is.exec(given);
  if (own !== null) return `/${own[1]!.toLowerCase()}/${own[2]}`;
  if (!/^https?:\/\//i.test(given) || !URL.canParse(given)) return given;
  const { hostname, pathname } = new URL(given);
  const path = decoded(pathname);
  if (/^\/ip[fn]s\/./.test(path)) return path;
  const [label, kind] = hostname.split('.', 2);
  if (kind === 'ipfs') return `/ipfs/${label}${path === '/' ? '' : path}`;
  // Names of keys stand as they are; a domain has its dots as hyphens, and its hyphens twice.
  if (kind === 'ipns') return `/ipns/${domainOf(label!)}${path === '/' ? '' : path}`;
  return given;
}

function domainOf(label: string): string {
  return label.includes('-') ? label.replace(/--|-/g, (hyphens) => (hyphens === '-' ? '.' : '-')) : label;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
