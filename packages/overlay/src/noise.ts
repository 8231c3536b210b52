/** Noise as libp2p wants it of an encrypter of connections. Source: libp2p specs, noise. */
import { publicKeyFromProtobuf, publicKeyToProtobuf } from '@libp2p/crypto/keys';
import {
  type ConnectionEncrypter,
  InvalidCryptoExchangeError,
  type MessageStream,
  type PrivateKey,
  type PublicKey,
  type SecureConnectionOptions,
  type SecuredConnection,
  type StreamMuxerFactory,
  serviceCapabilities,
  UnexpectedPeerError,
  type Upgrader,
} from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { type LengthPrefixedStream, lpStream } from '@libp2p/utils';
import { emptyBytes, readUint16, writeUint16, type X25519Pair } from '@tequio/kernel';
import { limits } from './limits.ts';
import { type NoiseCrypto, NoiseHandshake } from './noise-handshake.ts';
import { encodeNoisePayload, type NoisePayload, signedText, tryDecodeNoisePayload } from './noise-payload.ts';
import { NoiseStream } from './noise-stream.ts';

export type NoiseComponents = {
  readonly privateKey: PrivateKey;
  readonly upgrader: Pick<Upgrader, 'getStreamMuxers'>;
};

/** @returns what libp2p makes its encrypter with */
export function noise(crypto: NoiseCrypto): (components: NoiseComponents) => ConnectionEncrypter {
  return (components) => new Noise(crypto, components);
}

const lengthEncoder = Object.assign(
  (length: number): Uint8Array => {
    const bytes = new Uint8Array(2);
    writeUint16(bytes, 0, length);
    return bytes;
  },
  { bytes: 2 },
);
const lengthDecoder = Object.assign(
  (bytes: { subarray(from: number, to: number): Uint8Array }) => readUint16(bytes.subarray(0, 2), 0),
  { bytes: 2 },
);

class Noise implements ConnectionEncrypter {
  readonly protocol = '/noise';
  readonly [Symbol.toStringTag] = 'tequio/noise';
  readonly [serviceCapabilities] = ['@libp2p/connection-encryption', '@libp2p/noise'];
  readonly #crypto: NoiseCrypto;
  readonly #components: NoiseComponents;
  /** As long as the node runs: what names it is another key, by which this one is signed once. */
  readonly #pair: X25519Pair;
  #signature: Promise<Uint8Array> | null = null;

  constructor(crypto: NoiseCrypto, components: NoiseComponents) {
    this.#crypto = crypto;
    this.#components = components;
    this.#pair = crypto.x25519.createPair();
  }

  secureOutbound(connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    return this.#secure(connection, true, options);
  }

  secureInbound(connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    return this.#secure(connection, false, options);
  }

  async #secure(
    connection: MessageStream,
    isInitiator: boolean,
    options?: SecureConnectionOptions,
  ): Promise<SecuredConnection> {
    const words = lpStream(connection, {
      lengthEncoder,
      lengthDecoder,
      maxDataLength: limits.noise.messageBytes,
    });
    const handshake = new NoiseHandshake(this.#crypto, { isInitiator, staticPair: this.#pair });
    const isNegotiating = options?.skipStreamMuxerNegotiation !== true;
    const own = encodeNoisePayload(await this.#payload(isNegotiating));
    const theirs = await exchange(words, handshake, { isInitiator, own, options });
    const key = await verify(theirs, handshake.theirStatic, options?.remotePeer?.publicKey);
    return {
      connection: new NoiseStream(words.unwrap(), handshake.split()),
      remotePeer: peerIdFromPublicKey(key),
      ...(isNegotiating ? this.#chooseMuxer(theirs.muxers) : {}),
    };
  }

  async #payload(isNegotiating: boolean): Promise<NoisePayload> {
    const { privateKey, upgrader } = this.#components;
    this.#signature ??= Promise.resolve(privateKey.sign(signedText(this.#pair.publicKey)));
    return {
      identityKey: publicKeyToProtobuf(privateKey.publicKey),
      signature: await this.#signature,
      muxers: isNegotiating ? [...upgrader.getStreamMuxers().keys()] : [],
    };
  }

  /** Whoever names none negotiates it later. */
  #chooseMuxer(names: readonly string[]): { streamMuxer?: StreamMuxerFactory } {
    if (names.length === 0) return {};
    const muxers = this.#components.upgrader.getStreamMuxers();
    for (const name of names) {
      const streamMuxer = muxers.get(name);
      if (streamMuxer !== undefined) return { streamMuxer };
    }
    throw new InvalidCryptoExchangeError('the other side has no muxer that is known here');
  }
}

/** The three messages. The responder's identity is in the second one, the initiator's in the third. */
async function exchange(
  words: LengthPrefixedStream,
  handshake: NoiseHandshake,
  {
    isInitiator,
    own,
    options,
  }: {
    readonly isInitiator: boolean;
    readonly own: Uint8Array;
    readonly options: SecureConnectionOptions | undefined;
  },
): Promise<NoisePayload> {
  let theirs: NoisePayload | null = null;
  for (let index = 0; !handshake.isDone; index++) {
    if ((index % 2 === 0) === isInitiator) {
      const message = handshake.tryWrite(index === 0 ? emptyBytes : own);
      if (message === null) throw new InvalidCryptoExchangeError('their key is of no use');
      await words.write(message, options);
    } else {
      const payload = handshake.tryRead((await words.read(options)).subarray());
      if (payload === null) throw new InvalidCryptoExchangeError('the handshake was changed on its way');
      if (index > 0) theirs = tryDecodeNoisePayload(payload);
    }
  }
  if (theirs === null) throw new InvalidCryptoExchangeError('the other side does not say who it is');
  return theirs;
}

/** @throws UnexpectedPeerError it is somebody else than it says, or than who was dialled */
async function verify(
  { identityKey, signature }: NoisePayload,
  theirStatic: Uint8Array,
  expected?: PublicKey,
): Promise<PublicKey> {
  let key: PublicKey;
  try {
    key = publicKeyFromProtobuf(identityKey);
  } catch {
    throw new UnexpectedPeerError('the peer’s key is none');
  }
  if (expected !== undefined && !expected.equals(key)) throw new UnexpectedPeerError('another peer answered');
  if (!(await key.verify(signedText(theirStatic), signature)))
    throw new UnexpectedPeerError('the peer’s signature is none');
  return key;
}
