/**
 * How to speak to whom, when both are allowed: plain first. Of the clients in use nearly all take both, and plain costs
 * one round trip less (the encrypted handshake adds one) and nothing on every byte afterwards. Those who take encrypted
 * connections alone hang up at once on hearing plain words, and so does a network that looks for them; then the
 * other way is tried at once, and what worked is remembered.
 *
 *   (nothing known: plain) --silent end--> trial of encrypted --understood--> proven: encrypted from now on
 *            ^                                  | silent end                       | silent end
 *            |                                  v                                  v
 *            |                              exhausted: the other way next  <--- trial of plain
 *            +------------------------------ understood ---------------------------+-- understood
 *
 * A silent end: the connection was made, and ended before the other side had said a word. That is what a full client
 * does too, or one that does not have the torrent yet; so there is one trial for an endpoint until it has been
 * understood, not one for each dial. After that each dial, made when it would be made anyway, takes the other way: who
 * takes encrypted connections alone is understood once he is ready.
 *
 * Bounded: `endpointCountMax` endpoints of which plain is not (or may not be) the way; the oldest gives way, and
 * is then tried plain again.
 */

export const spokenWaysLimits = { endpointCountMax: 4096 } as const;

export type Way = 'plain' | 'encrypted';

type Known = { readonly way: Way; readonly state: 'trial' | 'proven' | 'exhausted' };

export class SpokenWays {
  readonly #known = new Map<string, Known>();

  get count(): number {
    return this.#known.size;
  }

  /** How to speak to it now. */
  wayTo(endpointKey: string): Way {
    return this.#known.get(endpointKey)?.way ?? 'plain';
  }

  /** It said something right, spoken to as {@link wayTo} says. */
  markUnderstood(endpointKey: string): void {
    const known = this.#known.get(endpointKey);
    if (known === undefined) return;
    if (known.way === 'plain') this.#known.delete(endpointKey);
    else if (known.state !== 'proven') this.#remember(endpointKey, { way: 'encrypted', state: 'proven' });
  }

  /** A silent end, spoken to as {@link wayTo} says. True: dial again now, by the other way that it says then. */
  handleSilentEnd(endpointKey: string): boolean {
    const known = this.#known.get(endpointKey);
    const way = known?.way === 'encrypted' ? 'plain' : 'encrypted';
    const isTrial = known === undefined || known.state === 'proven';
    this.#remember(endpointKey, { way, state: isTrial ? 'trial' : 'exhausted' });
    return isTrial;
  }

  #remember(endpointKey: string, known: Known): void {
    this.#known.delete(endpointKey);
    this.#known.set(endpointKey, known);
    if (this.#known.size > spokenWaysLimits.endpointCountMax)
      this.#known.delete(this.#known.keys().next().value!);
  }
}
