/**
 * The world as the engine sees it. `runtime` implements these over Node.js, `simulator` over a virtual clock; each
 * port has one compliance suite that both pass. Data paths are synchronous calls and callbacks; promises only where
 * things happen rarely.
 */
import type { Endpoint, IpAddress } from './address.ts';
import type { DiskPort, FilesPort } from './disk-port.ts';
import type { Log } from './log.ts';

export interface Clock {
  /** Monotonic milliseconds from an arbitrary start; may have a fraction. */
  nowMs(): number;
  /** Milliseconds since 1970 (UTC), for what is shown or stored. */
  wallMs(): number;
  /** Calls back once, not before `delayMs` have passed. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

export interface Timer {
  /** After this the callback is never called. Harmless when it already was. */
  cancel(): void;
}

/** Randomness that nobody can guess: peer ids, tokens, keys, seeds of {@link Prng}. */
export interface Entropy {
  bytes(length: number): Uint8Array;
}

/** Hash functions, synchronous, for small inputs; bulk data is hashed by the disk port's threads. */
export interface Hashes {
  /** 20 bytes. */
  sha1(bytes: Uint8Array): Uint8Array;
  /** 32 bytes. */
  sha256(bytes: Uint8Array): Uint8Array;
}

/** A reliable, ordered stream of bytes between two endpoints: TCP, uTP, or one of them under encryption or a proxy. */
export interface StreamConnection {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  /** What carries it in the end, once it is open; absent: TCP. */
  readonly transport?: 'tcp' | 'utp';
  /** All that is said is encrypted, as far as is known by now; absent: it is not. */
  readonly isEncrypted?: boolean;
  /**
   * Queues `parts`, in order, as one write where the system allows. The bytes are given away: they must not change
   * until `sent` is called (all handed to the system) or the handler's `onClose` was.
   */
  write(parts: readonly Uint8Array[], sent?: () => void): void;
  /** Bytes queued by `write` that the system has not taken yet. */
  readonly queuedBytes: number;
  /** Stops, and starts again, the reading of bytes; what is on its way may still arrive once. */
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes. `onClose` follows. */
  end(): void;
  /** Closes at once; what is queued is lost. `onClose` follows, never from inside this call. */
  destroy(): void;
  /**
   * As `destroy`, and the system shall not go on sending what it holds, as it does for a minute or more after TCP's
   * orderly close: it says one last word (a reset) and forgets the connection. Absent: there is no difference.
   */
  reset?(): void;
}

export interface StreamHandler {
  /** Outgoing connections only: it is open. */
  onOpen?(): void;
  /** `bytes` are borrowed until this returns. */
  onBytes(bytes: Uint8Array): void;
  /** Once, last; `error` is null after an orderly end by either side. Also when a dial fails. */
  onClose(error: string | null): void;
}

export interface StreamListener {
  readonly local: Endpoint;
  close(): Promise<void>;
}

export interface StreamPort {
  /**
   * Listens; port 0 takes a free one. `accept` returns the connection's handler, or null to refuse it at once.
   * @throws NodeError `NET_LISTEN` (address in use, not permitted, no such address)
   */
  listen(
    at: { readonly address: IpAddress | null; readonly port: number },
    accept: (connection: StreamConnection) => StreamHandler | null,
  ): Promise<StreamListener>;
  /** Dials; `onOpen` or `onClose` follows within `timeoutMs`, never from inside this call. */
  dial(
    to: Endpoint,
    options: { readonly timeoutMs: number; readonly from?: IpAddress | null },
    handler: StreamHandler,
  ): StreamConnection;
}

export interface UdpSocket {
  readonly local: Endpoint;
  /** True: `whole` is heeded. */
  readonly dontFragment?: boolean;
  /**
   * Best effort: a datagram that cannot be sent is lost. `bytes` are given away. One that must be `whole` is lost, not
   * cut up, when it is longer than its path carries.
   */
  send(bytes: Uint8Array, to: Endpoint, whole?: boolean): void;
  close(): Promise<void>;
}

/** Membership in a multicast group; what is sent to a group goes no further than the local network (TTL 1). */
export type Multicast = {
  /** Its datagrams are received too, where they are sent to this socket's port. */
  readonly group: IpAddress;
  /** One of our own addresses: its network is joined, and sent to; null: the one that the system prefers. */
  readonly interface: IpAddress | null;
};

export interface UdpPort {
  /**
   * A socket of one family; port 0 takes a free one. With `multicast` the port is shared with every other socket, of
   * any program, that was bound in the same way; a socket that wants to hear its group has `address` null. Link-local
   * IPv6 destinations are on the network of `address`, or of `multicast.interface`. The bytes given to `onDatagram`
   * are borrowed until it returns.
   * @throws NodeError `NET_LISTEN`, also when the group cannot be joined
   */
  bind(
    at: {
      readonly address: IpAddress | null;
      readonly port: number;
      readonly ipv6?: boolean;
      readonly multicast?: Multicast;
    },
    onDatagram: (bytes: Uint8Array, from: Endpoint) => void,
  ): Promise<UdpSocket>;
}

/** One address of this machine, and the network that it is in. */
export type LocalNetwork = {
  /** Of the interface, as the system calls it. */
  readonly name: string;
  readonly address: IpAddress;
  /** How many leading bits the addresses of this network share. */
  readonly prefixBits: number;
  /** The router that packets from this address to the Internet go to; null: none, or not known. */
  readonly gateway: IpAddress | null;
  /** True when the system does not tell, and `gateway` is where a router usually is (or null, if not even that). */
  readonly gatewayIsGuess: boolean;
};

export interface LocalNetworks {
  /** All addresses, loopback too; those that the system prefers for the Internet first. Changes with time. */
  list(): Promise<readonly LocalNetwork[]>;
}

export interface Resolver {
  /** Addresses of a host name, in the system's order; an IP literal is itself. @throws NodeError `NET_RESOLVE` */
  resolve(name: string): Promise<readonly IpAddress[]>;
}

export type HttpRequest = {
  readonly method: 'GET' | 'HEAD';
  /** http or https; names are resolved once and the answer that `allowAddress` passed is the one dialled. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** From the start until the last byte of the head; after that, the longest silence allowed in the body. */
  readonly timeoutMs: number;
  /** The body may not be longer, after decompression. Longer ends the request with `HTTP_TOO_LONG`. */
  readonly bytesMax: number;
  /** Asked for every resolved address; when none passes the request ends with `HTTP_ADDRESS_REFUSED`. */
  readonly allowAddress?: (address: IpAddress) => boolean;
  /** Prefer this family (BEP 7 announces over both). */
  readonly family?: 4 | 6;
  readonly from?: IpAddress | null;
  /**
   * Makes the connection in place of the client, as a proxy that resolves names itself does. Then `allowAddress` is
   * asked for addresses in the url alone, `family` and `from` mean nothing, and `remote` is the connection's.
   */
  readonly dialler?: HttpDialler;
};

export type HttpDialler = {
  /** Connections of the same name are the same way to the same hosts: they may be kept for another request. */
  readonly name: string;
  dial(host: string, port: number, timeoutMs: number, handler: StreamHandler): StreamConnection;
};

export interface HttpHandler {
  /** Header names in lower case. Redirects come here like any other status: following is the caller's decision. */
  onHead(head: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly remote: IpAddress;
  }): void;
  /** Body bytes, decompressed (gzip, deflate), borrowed until this returns. */
  onBytes(bytes: Uint8Array): void;
  /** Once, last. `error` null: the whole body has arrived. */
  onEnd(error: { readonly code: string; readonly message: string } | null): void;
}

export interface HttpExchange {
  /** Back-pressure for the body. */
  pause(): void;
  resume(): void;
  /** Ends it; `onEnd` is not called after this. */
  abort(): void;
}

export interface HttpClient {
  open(request: HttpRequest, handler: HttpHandler): HttpExchange;
  /** Ends connections that are kept for later requests. Left out by clients that keep none. */
  endIdle?(): void;
}

export type HttpServerRequest = {
  readonly method: string;
  /** As it stood in the request line: path and query, undecoded. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly remote: Endpoint;
};

export type HttpServerResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};

export interface HttpServerPort {
  /** @throws NodeError `NET_LISTEN` */
  listen(
    at: { readonly address: IpAddress | null; readonly port: number },
    handle: (request: HttpServerRequest) => HttpServerResponse,
  ): Promise<StreamListener>;
}

/** Ed25519 (RFC 8032) with keys as raw bytes: secret key = the 32 bytes of the seed. */
export interface Signatures {
  /** 32 bytes. */
  publicKeyOf(secretKey: Uint8Array): Uint8Array;
  /** 64 bytes. */
  sign(secretKey: Uint8Array, message: Uint8Array): Uint8Array;
  /** False too for keys and signatures of a wrong length. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

/** Encryption that notices every change. */
export interface Aead {
  /** ChaCha20-Poly1305 (RFC 8439) under a key of 32 bytes, which is copied. */
  chacha20Poly1305(key: Uint8Array): AeadKey;
}

/** Nonces have 12 bytes, tags 16. Parts are taken as if they were one text. */
export interface AeadKey {
  /** Parts of the same lengths, and behind them the tag. No nonce may be used twice. */
  seal(nonce: Uint8Array, parts: readonly Uint8Array[], associated: Uint8Array): Uint8Array[];
  /** Null: something was changed. */
  tryOpen(
    nonce: Uint8Array,
    parts: readonly Uint8Array[],
    tag: Uint8Array,
    associated: Uint8Array,
  ): Uint8Array[] | null;
}

/** Diffie-Hellman over Curve25519 (RFC 7748). Keys and secrets have 32 bytes. */
export interface X25519 {
  /** A fresh pair, or the one of `secretKey`. */
  createPair(secretKey?: Uint8Array): X25519Pair;
}

export interface X25519Pair {
  readonly publicKey: Uint8Array;
  /** Null: their key is none, or one of the few that make the same secret with everybody's. */
  trySecretWith(theirPublicKey: Uint8Array): Uint8Array | null;
}

/** Diffie-Hellman over a given prime (big-endian, as are all numbers here). */
export interface KeyAgreement {
  /** A fresh pair; `publicKey` is as long as `prime`, zeros in front. */
  createPair(prime: Uint8Array, generator: number): KeyPair;
}

export interface KeyPair {
  readonly publicKey: Uint8Array;
  /** As long as the prime; null when `theirPublicKey` is not a usable number (0, 1, prime - 1, or larger). */
  trySecretWith(theirPublicKey: Uint8Array): Uint8Array | null;
}

export type SqlValue = string | number | bigint | Uint8Array | null;

/** One SQLite database (WAL). Synchronous: statements are short. Statements are prepared once per text. */
export interface Database {
  /** Several statements without parameters. */
  exec(sql: string): void;
  run(sql: string, ...values: SqlValue[]): void;
  get(sql: string, ...values: SqlValue[]): Readonly<Record<string, SqlValue>> | null;
  all(sql: string, ...values: SqlValue[]): readonly Readonly<Record<string, SqlValue>>[];
  /** Runs `work` in one transaction: all of it is kept, or nothing when it throws. */
  transaction<Value>(work: () => Value): Value;
  close(): void;
}

export interface DatabasePort {
  /** Opens or makes the database. `:memory:` keeps nothing. @throws NodeError `DATABASE_OPEN` */
  open(path: string): Database;
}

/** What an application's shell is given. Each part that it does not need it does not take. */
export type Ports = {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly hashes: Hashes;
  readonly signatures: Signatures;
  readonly keyAgreement: KeyAgreement;
  readonly tcp: StreamPort;
  readonly udp: UdpPort;
  readonly networks: LocalNetworks;
  readonly resolver: Resolver;
  readonly http: HttpClient;
  readonly httpServer: HttpServerPort;
  readonly disk: DiskPort;
  readonly files: FilesPort;
  readonly database: DatabasePort;
  readonly log: Log;
};
