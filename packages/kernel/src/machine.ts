/**
 * A protocol machine: no I/O, no clock, no randomness of its own (learned from quinn-proto).
 *
 *   handle(input, now) ─┐
 *   handleTimeout(now) ─┴─> state ──> drain(out)          effects, in order
 *                                └──> nextTimeoutMs()     when to call handleTimeout, or null
 *
 * Bytes in an input are borrowed until `handle` returns; bytes in an effect are given away for good.
 * `handle` and `handleTimeout` may be called again before `drain`; effects keep their order.
 */
export interface Machine<Input, Effect> {
  handle(input: Input, nowMs: number): void;
  handleTimeout(nowMs: number): void;
  nextTimeoutMs(): number | null;
  /** Moves all waiting effects to the end of `out`. */
  drain(out: Effect[]): void;
}
