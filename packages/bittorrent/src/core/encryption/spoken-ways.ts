/**
 * How to speak to whom, when both are allowed: first as the policy likes it best. Nearly all clients in use take both.
 * Plain costs one round trip less (the encrypted handshake adds one) and nothing on every byte afterwards. Those who
 * take one way alone hang up at once on hearing the other, and so does a network that looks for plain words; then the
 * other way is tried at once, and what worked is remembered.
 *
 *   (nothing known: first) --silent end--> trial of the other --understood--> proven: the other from now on
 *            ^                                  | silent end                       | silent end
 *            |                                  v                                  v
 *            |                              exhausted: each in turn       <--- trial of the first
 *            +------------------------------ understood ---------------------------+-- understood
 *
 * A silent end: the connection was made, and ended before the other side had said a word. That is what a full client
 * does too, or one that does not have the torrent yet; so there is one trial for an endpoint until it has been
 * understood, not one for each dial. After that each dial, made when it would be made anyway, takes the other way: who
 * takes one way alone is understood once he is ready.
 *
 * Bounded: `endpointCountMax` endpoints of which the first is not (or may not be) the way; the oldest gives way, and is
 * then spoken to by the first again.
 */

export const spokenWaysLimits = { endpointCountMax: 4096 } as const;

export type Way = 'plain' | 'encrypted';

type Known = { readonly way: Way; readonly state: 'trial' | 'proven' | 'exhausted' };

export class SpokenWays {
  readonly #first: Way;
  readonly #known = new Map<string, Known>();

  constructor(first: Way) {
    this.#first = first;
  }

  get count(): number {
    return this.#known.size;
  }

  /** How to speak to it now. */
  wayTo(endpointKey: string): Way {
    return this.#known.get(endpointKey)?.way ?? this.#first;
  }

  /** It said something right, spoken to as {@link wayTo} says. */
  markUnderstood(endpointKey: string): void {
    const known = this.#known.get(endpointKey);
    if (known === undefined) return;
    const { way, state } = known;
    if (way === this.#first) this.#known.delete(endpointKey);
    else if (state !== 'proven') this.#remember(endpointKey, { way, state: 'proven' });
  }

  /** A silent end, spoken to as {@link wayTo} says. True: dial again now, by the other way that it says then. */
  handleSilentEnd(endpointKey: string): boolean {
    const known = this.#known.get(endpointKey);
    const way = this.wayTo(endpointKey) === 'encrypted' ? 'plain' : 'encrypted';
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
