export const bookLimits = {
  /** Torrents that are gone and remembered, for those who ask what has changed. */
  removedCountMax: 10_000,
  /** Of a name, as far as it is sorted and searched by. */
  nameKeyChars: 300,
  /** Rows of one page. */
  pageCountMax: 5000,
  pageCount: 100,
  searchWordCountMax: 20,
  tagCountMax: 100,
  tagChars: 100,
  categoryCountMax: 1000,
  trackerRuleCountMax: 1000,
  commentChars: 10_000,
  /** How long the metadata of a magnet that is only looked at is waited for. */
  previewMs: 300_000,
  /** Metadata of magnets that were looked at, all together, and how long it is kept. */
  lookedInsideBytes: 32 << 20,
  lookedInsideMs: 30 * 60_000,
} as const;
