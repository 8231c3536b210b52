/** Nodes that swap blocks in virtual time, honest and hostile, from one seed. */
import { hash } from 'node:crypto';
import { type Fault, type OverlayStream, Prng, silentLog } from '@tequio/kernel';
import { World } from '@tequio/simulator';
import type { BitswapDeps } from '../src/shell/bitswap-deps.ts';
import { BitswapDriver } from '../src/shell/bitswap-driver.ts';
import {
  type BitswapMessage,
  bitswapProtocols,
  decodeBitswapMessage,
  emptyBitswapMessage,
  encodeBitswapMessage,
} from '../src/wire/bitswap-message.ts';
import { cidKeyOf, cidOf, encodeCidPrefix } from '../src/wire/cid-bytes.ts';
import { FrameDecoder } from '../src/wire/message-frames.ts';
import { type OverlayTwin, OverlayTwins, type TwinOptions } from './overlay-twin.ts';

export const rawPrefix = { version: 1, codec: 0x55, hashCode: 0x12, digestBytes: 32 } as const;

export type SimBlock = { readonly cid: Uint8Array; readonly bytes: Uint8Array };

export function sha256(code: number, bytes: Uint8Array): Uint8Array | null {
  return code === 0x12 ? new Uint8Array(hash('sha256', bytes, 'buffer')) : null;
}

export function makeBlocks(prng: Prng, count: number, bytes: number): SimBlock[] {
  return Array.from({ length: count }, () => {
    const data = prng.bytes(bytes);
    return { cid: cidOf(rawPrefix, sha256(0x12, data)!), bytes: data };
  });
}

export type BitswapNode = {
  readonly overlay: OverlayTwin;
  readonly bitswap: BitswapDriver;
  readonly kept: Map<string, Uint8Array>;
  /** Faults that this node saw, by who and what. */
  readonly faults: { readonly peer: string; readonly code: string }[];
  readonly bans: string[];
  keep(blocks: readonly SimBlock[]): void;
  /** Fetches all of them in one session, so many at once, and keeps them. Those that did not come are counted. */
  fetch(cids: readonly Uint8Array[], atOnce?: number): Promise<{ readonly missing: number }>;
};

export class BitswapWorld {
  readonly world: World;
  readonly prng: Prng;
  readonly twins: OverlayTwins;

  constructor(seed: number) {
    this.world = new World({ seed });
    this.prng = new Prng(seed);
    this.twins = new OverlayTwins(this.world.clock);
  }

  get nowMs(): number {
    return this.world.clock.nowMs();
  }

  addNode(name: string, options: TwinOptions & Pick<BitswapDeps, 'maySend' | 'rates'> = {}): BitswapNode {
    const { maySend = () => true, rates } = options;
    const overlay = this.twins.add(name, options);
    const kept = new Map<string, Uint8Array>();
    const faults: { peer: string; code: string }[] = [];
    const bans: string[] = [];
    const bitswap = new BitswapDriver({
      overlay,
      clock: this.world.clock,
      log: silentLog,
      namer: sha256,
      maySend,
      ...(rates === undefined ? {} : { rates }),
      store: {
        sizes: async (cids) => cids.map((cid) => kept.get(cidKeyOf(cid))?.length ?? null),
        read: async (cid) => kept.get(cidKeyOf(cid)) ?? null,
      },
      findProviders: (cid, onProvider) =>
        overlay.find(cid.subarray(2), ({ peer, addresses }) => onProvider(peer, addresses)),
      onFault: (peer: string, fault: Fault) => void faults.push({ peer, code: fault.code }),
      onBan: (peer) => void bans.push(peer),
    });
    bitswap.start();
    const keep = (blocks: readonly SimBlock[]): void => {
      for (const { cid, bytes } of blocks) kept.set(cidKeyOf(cid), bytes);
      bitswap.markStored(blocks.map(({ cid }) => cid));
    };
    const fetch: BitswapNode['fetch'] = async (cids, atOnce = 64) => {
      const session = bitswap.openSession();
      const left = [...cids];
      let missing = 0;
      const work = async (): Promise<void> => {
        for (let cid = left.shift(); cid !== undefined; cid = left.shift()) {
          const bytes = await bitswap.get(session, cid);
          if (bytes === null) missing++;
          else keep([{ cid, bytes }]);
        }
      };
      await Promise.all(Array.from({ length: atOnce }, work));
      bitswap.closeSession(session);
      return { missing };
    };
    return { overlay, bitswap, kept, faults, bans, keep, fetch };
  }

  async connect(from: BitswapNode, ...to: readonly { readonly overlay: OverlayTwin }[]): Promise<void> {
    let count = 0;
    for (const { overlay } of to) void from.overlay.connect(overlay.peer).then(() => count++);
    await this.world.run(() => count === to.length);
  }

  /** Runs until the promise has settled. */
  async until<Value>(promise: Promise<Value>, limitMs = 600_000): Promise<Value> {
    let outcome: { readonly value: Value } | { readonly error: unknown } | null = null;
    promise.then(
      (value) => {
        outcome = { value };
      },
      (error: unknown) => {
        outcome = { error };
      },
    );
    await this.world.run(() => outcome !== null, limitMs);
    const settled = outcome as unknown as { readonly value: Value } | { readonly error: unknown };
    if ('error' in settled) throw settled.error;
    return settled.value;
  }

  /** A peer whose answers are written by hand: `answer` is given each message, and says what goes back. */
  addHostile(
    name: string,
    answer: (message: BitswapMessage, say: (message: Partial<BitswapMessage>) => void) => void,
    options: TwinOptions = {},
  ): { readonly overlay: OverlayTwin; speakTo(peer: string): (message: Partial<BitswapMessage>) => void } {
    const overlay = this.twins.add(name, options);
    const lines = new Map<string, (message: Partial<BitswapMessage>) => void>();
    const speakTo = (peer: string): ((message: Partial<BitswapMessage>) => void) => {
      const known = lines.get(peer);
      if (known !== undefined) return known;
      let stream: OverlayStream | null = null;
      let waiting: Uint8Array[] = [];
      const dialled = overlay.dial(
        peer,
        bitswapProtocols,
        {},
        {
          onOpen: () => {
            stream = dialled;
            for (const bytes of waiting) stream.write(bytes);
            waiting = [];
          },
          onBytes: () => undefined,
          onClose: () => void lines.delete(peer),
        },
      );
      const say = (message: Partial<BitswapMessage>): void => {
        const frame = encodeBitswapMessage({ ...emptyBitswapMessage, ...message });
        if (stream === null) waiting.push(frame);
        else stream.write(frame);
      };
      lines.set(peer, say);
      return say;
    };
    overlay.handle(bitswapProtocols[0]!, (stream) => {
      const decoder = new FrameDecoder(4 * 1024 * 1024);
      return {
        onBytes: (bytes) =>
          void decoder.push(bytes, (body) => {
            const decoded = decodeBitswapMessage(body);
            if (decoded.ok) answer(decoded.value, speakTo(stream.peer));
          }),
        onClose: () => undefined,
      };
    });
    return { overlay, speakTo };
  }
}

/** A block of these bytes as it travels. */
export function travelling(bytes: Uint8Array): BitswapMessage['blocks'][number] {
  return { prefix: encodeCidPrefix(rawPrefix), data: bytes };
}
