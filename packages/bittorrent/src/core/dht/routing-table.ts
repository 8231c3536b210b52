/**
 * The contacts of one DHT node in one address family (BEP 5, BEP 32).
 *
 * A bucket for each number of leading bits shared with our id (0 to 160), of at most 8 contacts; the deep ones, where
 * few nodes live, hold all there are. So what is near to us is known well, what is far by a few.
 *
 *   (answered a query of ours) -> replacement -> contact: good -> questionable (15 min of silence) -> good
 *                                                   |                 |
 *                                                   +-- failed once --+-- failed again -> bad: replaced, or gone later
 *
 * Rules, and against whom:
 * - Only who answered a query of ours at the very address is a contact: nobody gets in, or is handed out, by writing to
 *   us or by being named. A new id at a known address takes the old one's place, a known id at another address
 *   is refused while its first holder answers (stolen ids).
 * - Old contacts stay as long as they answer; newcomers wait. A flood of new nodes finds no place, and who was there
 *   for long will probably stay (Kademlia's reason for this order).
 * - Ids that fit their address (BEP 42) are preferred: such a contact takes the place of one whose id does not fit.
 * - One contact an address (IPv6: a /64) in a bucket, so one machine cannot fill it. Local networks are exempt.
 * - Failures count only when others answered meanwhile; that is the caller's to know.
 *
 * Cost: `closest` sorts one or a few buckets; the others look at one bucket. About 100 contacts in a DHT of 10,000,
 * 160 in one of ten million.
 */
import { bytesEqual } from '@tequio/kernel';
import { compareDistance, isSecureNodeId, sharedPrefixBits } from '../../wire/dht-node-id.ts';
import type { NodeInfo } from '../../wire/dht-node-info.ts';
import { dhtLimits } from './dht-limits.ts';
import { isLocalNode, ownerBlockOf } from './place.ts';

export type Contact = {
  readonly node: NodeInfo;
  /** The id fits the address, or the address is local. */
  readonly isSecure: boolean;
  /** Of its owner; null: exempt. */
  readonly block: string | null;
  /** Leading bits shared with our id. */
  readonly bucket: number;
  isReplacement: boolean;
  /** Last answer, or query of its own. */
  heardMs: number;
  askedMs: number;
  failCount: number;
};

type Bucket = {
  /** In the order in which they came. */
  readonly contacts: Contact[];
  /** The last is the freshest. */
  readonly replacements: Contact[];
};

const { bucketSize, replacementCountMax, badFailCount, goneFailCount, questionableMs, retryMs } = dhtLimits;

export class RoutingTable {
  readonly ownId: Uint8Array;
  readonly #buckets: (Bucket | undefined)[] = [];
  readonly #byPlace = new Map<string, Contact>();
  #count = 0;

  constructor(ownId: Uint8Array) {
    this.ownId = ownId;
  }

  /** Contacts, without those that wait. */
  get count(): number {
    return this.#count;
  }

  /** The deepest bucket that has contacts; -1: none. */
  get depth(): number {
    for (let i = this.#buckets.length - 1; i >= 0; i--)
      if ((this.#buckets[i]?.contacts.length ?? 0) > 0) return i;
    return -1;
  }

  /** Contacts of one bucket. */
  countOf(bucket: number): number {
    return this.#buckets[bucket]?.contacts.length ?? 0;
  }

  /** The contacts, near ones last. */
  *contacts(): IterableIterator<Contact> {
    for (const bucket of this.#buckets) if (bucket !== undefined) yield* bucket.contacts;
  }

  get(place: string): Contact | null {
    return this.#byPlace.get(place) ?? null;
  }

  /** It answered a query of ours. True when it is a contact now. */
  handleAnswered(node: NodeInfo, nowMs: number): boolean {
    const known = this.#byPlace.get(node.place);
    if (known !== undefined && bytesEqual(known.node.id, node.id)) {
      known.heardMs = nowMs;
      known.failCount = 0;
      if (known.isReplacement) this.#promote(known.bucket);
      return !known.isReplacement;
    }
    if (known !== undefined) {
      this.#remove(known);
      this.#promote(known.bucket);
    }
    if (bytesEqual(node.id, this.ownId)) return false;
    const contact = this.#contactOf(node, nowMs);
    const bucket = (this.#buckets[contact.bucket] ??= { contacts: [], replacements: [] });
    if (!this.#makeUnique(bucket, contact)) return false;
    this.#byPlace.set(node.place, contact);
    if (bucket.contacts.length >= bucketSize && !this.#displace(bucket, contact)) {
      this.#putAside(bucket, contact);
      return false;
    }
    bucket.contacts.push(contact);
    this.#count++;
    // Two may have gone for one that came.
    this.#promote(contact.bucket);
    return true;
  }

  /** It asked us something. True when we know it. */
  handleHeard(place: string, id: Uint8Array, nowMs: number): boolean {
    const known = this.#byPlace.get(place);
    if (known === undefined || !bytesEqual(known.node.id, id)) return false;
    // Words of its own keep a contact fresh, but do not undo that it fails to answer.
    if (known.failCount === 0) known.heardMs = nowMs;
    return true;
  }

  /** A query to it was not answered. */
  handleFailed(place: string): void {
    const contact = this.#byPlace.get(place);
    if (contact === undefined) return;
    contact.failCount++;
    if (contact.isReplacement) {
      this.#remove(contact);
      return;
    }
    if (contact.failCount < badFailCount) return;
    const bucket = this.#buckets[contact.bucket]!;
    if (contact.failCount < goneFailCount && bucket.replacements.length === 0) return;
    this.#remove(contact);
    this.#promote(contact.bucket);
  }

  markAsked(place: string, nowMs: number): void {
    const contact = this.#byPlace.get(place);
    if (contact !== undefined) contact.askedMs = nowMs;
  }

  /** False: no node of this id would become a contact, whatever its address. Mostly so, and soon said. */
  hasRoomFor(id: Uint8Array): boolean {
    const bucket = this.#buckets[sharedPrefixBits(id, this.ownId)];
    if (bucket === undefined || bucket.contacts.length < bucketSize) return true;
    for (const contact of bucket.contacts) if (isDisplacedBy(contact, true)) return true;
    return false;
  }

  /** Would this node become a contact if it answered? Not when it is one, or waits, already. */
  wants(node: NodeInfo): boolean {
    if (this.#byPlace.has(node.place)) return false;
    const at = sharedPrefixBits(node.id, this.ownId);
    if (at === 160) return false;
    const bucket = this.#buckets[at];
    if (bucket === undefined) return true;
    const isLocal = isLocalNode(node);
    const block = isLocal ? null : ownerBlockOf(node.addressBytes);
    for (const { failCount, node: other, block: otherBlock } of bucket.contacts)
      if (failCount === 0 && (bytesEqual(other.id, node.id) || (block !== null && otherBlock === block)))
        return false;
    if (bucket.contacts.length < bucketSize) return true;
    const isSecure = isLocal || isSecureNodeId(node.id, node.addressBytes);
    return bucket.contacts.some((contact) => isDisplacedBy(contact, isSecure));
  }

  /**
   * The contacts nearest to `target` that did not fail last time, nearest first.
   * @param globalOnly leaves out those of local networks
   */
  closest(target: Uint8Array, countMax: number, globalOnly = false): NodeInfo[] {
    const found: NodeInfo[] = [];
    const own = sharedPrefixBits(target, this.ownId);
    // Bucket `own` shares more bits with the target than any other; all deeper ones share exactly `own` of them;
    // after that every bucket before is farther than the one behind it.
    this.#gather(own, target, found, 0, globalOnly);
    if (found.length < countMax) {
      const from = found.length;
      for (let i = own + 1; i < this.#buckets.length; i++) {
        this.#gather(i, target, found, from, globalOnly);
        if (found.length > countMax) found.length = countMax;
      }
    }
    for (let i = Math.min(own, this.#buckets.length) - 1; i >= 0 && found.length < countMax; i--)
      this.#gather(i, target, found, found.length, globalOnly);
    if (found.length > countMax) found.length = countMax;
    return found;
  }

  /** The contact that should be asked next whether it is still there, and when; null: no contacts. */
  pickStale(): { readonly contact: Contact; readonly dueMs: number } | null {
    let stalest: Contact | null = null;
    let dueMs = Number.POSITIVE_INFINITY;
    for (const bucket of this.#buckets) {
      if (bucket === undefined) continue;
      for (const contact of bucket.contacts) {
        const due = dueOf(contact);
        if (due >= dueMs) continue;
        stalest = contact;
        dueMs = due;
      }
    }
    return stalest === null ? null : { contact: stalest, dueMs };
  }

  /** Adds one bucket's to `found`, which is sorted by distance from `from` on. */
  #gather(at: number, target: Uint8Array, found: NodeInfo[], from: number, globalOnly: boolean): void {
    const bucket = this.#buckets[at];
    if (bucket === undefined) return;
    for (const { node, failCount, block } of bucket.contacts)
      if (failCount === 0 && !(globalOnly && block === null)) insertSorted(found, from, node, target);
  }

  #contactOf(node: NodeInfo, nowMs: number): Contact {
    const isLocal = isLocalNode(node);
    return {
      node,
      isSecure: isLocal || isSecureNodeId(node.id, node.addressBytes),
      block: isLocal ? null : ownerBlockOf(node.addressBytes),
      bucket: sharedPrefixBits(node.id, this.ownId),
      isReplacement: false,
      heardMs: nowMs,
      askedMs: nowMs,
      failCount: 0,
    };
  }

  /** Removes what cannot stand beside the newcomer; false when that is a contact that has not failed. */
  #makeUnique(bucket: Bucket, { node, block }: Contact): boolean {
    const clashes = (other: Contact): boolean =>
      bytesEqual(other.node.id, node.id) || (block !== null && other.block === block);
    for (const contact of bucket.contacts) if (contact.failCount === 0 && clashes(contact)) return false;
    for (const contact of [...bucket.contacts, ...bucket.replacements])
      if (clashes(contact)) this.#remove(contact);
    return true;
  }

  /** Makes room in a full bucket, if somebody there is worth less: the one that failed most, else an insecure one. */
  #displace(bucket: Bucket, newcomer: Contact): boolean {
    let worst: Contact | null = null;
    for (const contact of bucket.contacts) {
      if (!isDisplacedBy(contact, newcomer.isSecure)) continue;
      if (worst === null || contact.failCount >= worst.failCount) worst = contact;
    }
    if (worst === null) return false;
    this.#remove(worst);
    if (worst.failCount === 0) {
      this.#byPlace.set(worst.node.place, worst);
      this.#putAside(bucket, worst);
    }
    return true;
  }

  #putAside(bucket: Bucket, contact: Contact): void {
    contact.isReplacement = true;
    bucket.replacements.push(contact);
    if (bucket.replacements.length > replacementCountMax) this.#remove(bucket.replacements[0]!);
  }

  /** A place may be free: it goes to the freshest of those that wait, secure ones first. */
  #promote(at: number): void {
    const bucket = this.#buckets[at]!;
    while (bucket.contacts.length < bucketSize && bucket.replacements.length > 0) {
      let best = bucket.replacements.at(-1)!;
      if (!best.isSecure) best = bucket.replacements.findLast((contact) => contact.isSecure) ?? best;
      bucket.replacements.splice(bucket.replacements.indexOf(best), 1);
      best.isReplacement = false;
      bucket.contacts.push(best);
      this.#count++;
    }
  }

  #remove(contact: Contact): void {
    const bucket = this.#buckets[contact.bucket]!;
    const list = contact.isReplacement ? bucket.replacements : bucket.contacts;
    list.splice(list.indexOf(contact), 1);
    if (!contact.isReplacement) this.#count--;
    this.#byPlace.delete(contact.node.place);
  }
}

function isDisplacedBy(contact: Contact, isNewcomerSecure: boolean): boolean {
  return contact.failCount >= badFailCount || (isNewcomerSecure && !contact.isSecure);
}

function dueOf({ failCount, askedMs, heardMs }: Contact): number {
  return failCount > 0
    ? askedMs + retryMs * failCount
    : Math.max(heardMs + questionableMs, askedMs + retryMs);
}

/** Keeps `list` from `from` on sorted by distance. */
function insertSorted(list: NodeInfo[], from: number, node: NodeInfo, target: Uint8Array): void {
  let at = list.length;
  list.push(node);
  for (; at > from && compareDistance(node.id, list[at - 1]!.id, target) < 0; at--) list[at] = list[at - 1]!;
  list[at] = node;
}
