/**
 * What must stay although no pin names it yet. Every block has a number, given when it was put or put again; numbers
 * only grow. A collection removes no block whose number is at or above its boundary:
 *
 *   boundary = the lowest next number of when the collection began, and of when each open hold did
 *
 * So an add that has begun keeps all that it puts, also what was there before, until its pin is recorded, with two
 * numbers and no list. What hangs on a block that is only named (a pin or a link that is being made) is a root.
 */
import type { CID } from 'multiformats/cid';

type OpenHold = { readonly from: number; readonly roots: CID[] };

export class BlockHolds {
  readonly #open = new Set<OpenHold>();
  /** Roots that the running collection has not marked yet; null: none is running. */
  #unmarked: CID[] | null = null;
  #begunAt = 0;

  /** Blocks below this that are put again get a new number. */
  get renewBelow(): number {
    let below = this.#begunAt;
    for (const { from } of this.#open) below = Math.max(below, from);
    return below;
  }

  /** @param next the number that the next block gets */
  open(next: number): OpenHold {
    const hold: OpenHold = { from: next, roots: [] };
    this.#open.add(hold);
    return hold;
  }

  /** From now on all that hangs on `root` stays too. */
  addRoot(hold: OpenHold, root: CID): void {
    hold.roots.push(root);
    this.#unmarked?.push(root);
  }

  release(hold: OpenHold): void {
    this.#open.delete(hold);
  }

  /** A collection begins. @returns its boundary */
  begin(next: number): number {
    this.#begunAt = next;
    this.#unmarked = [...this.#open].flatMap(({ roots }) => roots);
    let boundary = next;
    for (const { from } of this.#open) boundary = Math.min(boundary, from);
    return boundary;
  }

  /** Roots were named since they were last taken. */
  get hasRoots(): boolean {
    return this.#unmarked !== null && this.#unmarked.length > 0;
  }

  /** The roots that were named since this was last asked; also those of holds that are released since. */
  takeRoots(): readonly CID[] {
    const roots = this.#unmarked ?? [];
    if (this.#unmarked !== null) this.#unmarked = [];
    return roots;
  }

  end(): void {
    this.#unmarked = null;
    this.#begunAt = 0;
  }
}
