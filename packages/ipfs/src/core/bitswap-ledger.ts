/** What has passed between us and one peer: the ledger of bitswap's first paper, as counters. */
export type BitswapLedger = {
  readonly peer: string;
  sentBlocks: number;
  sentBytes: number;
  receivedBlocks: number;
  receivedBytes: number;
  /** Messages from it. */
  exchanges: number;
};

export type BitswapServerPeerView = {
  readonly peer: string;
  readonly sentBlocks: number;
  readonly sentBytes: number;
  readonly wantCount: number;
  readonly queuedCount: number;
  readonly refusedWants: number;
};

/** Sent over received, one more than nothing: kubo's debt ratio. */
export function debtRatio(ledger: BitswapLedger): number {
  return ledger.sentBytes / (ledger.receivedBytes + 1);
}
