/** Memory of one message of Noise each, used again and again: a new one for each would be most of all garbage. */
import { limits } from './limits.ts';

const { messageBytes, spareCount } = limits.noise;
const lengthBytes = 2;
const spare: Uint8Array[] = [];

/** A message with its length; what is in it is left over from before. */
export function takeBuffer(): Uint8Array {
  return spare.pop() ?? new Uint8Array(lengthBytes + messageBytes);
}

export function giveBack(buffer: Uint8Array): void {
  if (spare.length < spareCount) spare.push(buffer);
}
