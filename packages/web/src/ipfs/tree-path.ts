/** Paths of the node's tree: `/`, `/folder`, `/folder/file`. */

export function pathIn(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`;
}

/** From the tree itself down to the path. */
export function crumbsOf(path: string): readonly { readonly name: string; readonly path: string }[] {
  const names = path.split('/').filter((name) => name !== '');
  return names.map((name, index) => ({ name, path: `/${names.slice(0, index + 1).join('/')}` }));
}

/** `bafybeig…wxyz`: enough to tell two apart. */
export function shortCid(cid: string): string {
  return cid.length <= 20 ? cid : `${cid.slice(0, 10)}…${cid.slice(-6)}`;
}

/** Whether a text that was pasted may be content of IPFS. */
export function isContentAddress(text: string): boolean {
  const given = text.trim();
  return (
    /^(?:\/ip[fn]s\/|ip[fn]s:\/\/)\S/i.test(given) ||
    /^(?:Qm[1-9A-HJ-NP-Za-km-z]{44}|b[a-z2-7]{50,})(?:\/|$)/.test(given) ||
    /^https?:\/\/[^/]+\/ip[fn]s\/\S/i.test(given) ||
    /^https?:\/\/[^./]+\.ip[fn]s\./i.test(given)
  );
}
