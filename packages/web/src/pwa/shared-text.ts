/** The first thing in what was shared that can be added: programs write links into any of the fields. */
export function linkIn(texts: readonly (string | null)[]): string | null {
  for (const text of texts) {
    const [link] =
      /\bmagnet:\?\S+|\bhttps?:\/\/\S+|\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b/i.exec(text ?? '') ?? [];
    if (link !== undefined) return link;
  }
  return null;
}
