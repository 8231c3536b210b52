/** What a connection and its port know of each other. */
import type { Endpoint } from '@tequio/kernel';
import type { UtpRoom } from './utp-receiver.ts';
import type { UtpSlab } from './utp-slab.ts';

/** What a port does for the sake of its connections. */
export type UtpEffect<Connection> =
  | { readonly kind: 'send'; readonly bytes: Uint8Array; readonly to: Endpoint }
  /** Somebody has come; `destroy` it to refuse. */
  | { readonly kind: 'accept'; readonly connection: Connection }
  | { readonly kind: 'open'; readonly connection: Connection }
  /** There is something to `read`, or `takenBytes` has grown, or both. */
  | { readonly kind: 'ready'; readonly connection: Connection }
  /** The last of a connection. The error is null after an orderly end, and after `destroy`. */
  | { readonly kind: 'close'; readonly connection: Connection; readonly error: string | null };

/** What the connections of a port share. */
export type UtpShared<Connection> = {
  readonly effects: UtpEffect<Connection>[];
  readonly slab: UtpSlab;
  readonly room: UtpRoom;
  readonly counts: { sentPackets: number; repeatedPackets: number };
  /** This connection wants its `handleTimeout` at that time. */
  wake(atMs: number): void;
  /** It has changed its state. */
  moved(connection: Connection, from: UtpState): void;
};

export type UtpState = 'dialling' | 'unconfirmed' | 'open' | 'glowing' | 'gone';

export type UtpIdentity = {
  readonly remote: Endpoint;
  /** In packets to us, and in packets from us. */
  readonly receiveId: number;
  readonly sendId: number;
  /** Our first packet's number. */
  readonly firstSequence: number;
  readonly mtuBytes: number;
  /** What we take ourselves, and say so; 0: nothing is said. */
  readonly capacityBytes: number;
};

/** Of one connection, for showing and testing. */
export type UtpFigures = {
  readonly roundTripMs: number;
  readonly queueingMs: number;
  readonly windowBytes: number;
  readonly flightBytes: number;
  readonly packetBytes: number;
  readonly waitingBytes: number;
};
