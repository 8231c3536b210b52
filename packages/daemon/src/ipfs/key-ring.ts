/**
 * Keys that names are published with, a file each, as kubo's key store has them: `key_` and the name in base 32, in it
 * the key as libp2p writes it. `self` is the node's own key, which lies in the data folder and stays.
 */
import { join } from 'node:path';
import {
  encodePrivateKey,
  type IpfsPublicKey,
  type IpnsKey,
  ipnsNameOf,
  ipnsPeerText,
  multibases,
  tryDecodePrivateKey,
  tryParseIpnsName,
} from '@tequio/ipfs';
import {
  bytesEqual,
  encodeUtf8,
  type FilesPort,
  type Hashes,
  NodeError,
  tryDecodeUtf8,
} from '@tequio/kernel';
import {
  createOwnKey,
  listFolder,
  type OwnKey,
  type OwnKeyType,
  ownKeyToPem,
  removeFile,
  renameFile,
  rsaBits,
  signWithOwnKey,
  tryOwnKeyFromPem,
  tryPublicKeyOf,
} from '@tequio/runtime';

export const keyFormats = ['libp2p-protobuf-cleartext', 'pem-pkcs8-cleartext'] as const;

export type KeyFormat = (typeof keyFormats)[number];

export type NamedKey = IpnsKey & {
  readonly name: string;
  /** Multihash of the public key: what `/ipns/` leads to. */
  readonly ipns: Uint8Array;
  /** The same as a peer id. */
  readonly peer: string;
};

export type KeyRingDeps = { readonly files: FilesPort; readonly hashes: Hashes };

/** The node's own. */
const selfName = 'self';
const prefix = 'key_';
/** So that the file's name, in base 32, stays below 255 bytes. */
const nameBytesMax = 120;
const keyBytesMax = 16_384;
const keyCountMax = 10_000;
const base32 = multibases.get('base32')!;

/** See the top of the file. */
export class KeyRing {
  readonly #folder: string;
  readonly #selfPath: string;
  readonly #deps: KeyRingDeps;
  /** One change at a time. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param folder of the repository; the keys lie in `keystore` there. @param selfPath file of the node's own key */
  constructor(folder: string, selfPath: string, deps: KeyRingDeps) {
    this.#folder = join(folder, 'keystore');
    this.#selfPath = selfPath;
    this.#deps = deps;
  }

  /** By name, the node's own first. @throws NodeError `FILE_READ`, `OVERLAY_KEY` */
  async list(): Promise<readonly NamedKey[]> {
    const keys = [await this.#self()];
    if ((await this.#deps.files.kind(this.#folder)) === null) return keys;
    const names = (await listFolder(this.#folder, keyCountMax)).flatMap(({ name }) => nameOfFile(name) ?? []);
    for (const name of names.toSorted()) {
      const key = await this.#tryRead(name);
      if (key !== null) keys.push(this.#named(name, key));
    }
    return keys;
  }

  /** By name, or by what it is called on the network. @throws NodeError `IPFS_KEY_NONE` */
  async get(nameOrId: string): Promise<NamedKey> {
    const ipns = tryParseIpnsName(nameOrId);
    const found = (await this.list()).find(
      ({ name, ipns: own }) => name === nameOrId || (ipns !== null && bytesEqual(own, ipns)),
    );
    if (found === undefined)
      throw new NodeError('IPFS_KEY_NONE', `no key by the given name was found: "${nameOrId}"`, {
        op: 'key',
      });
    return found;
  }

  /** By what it is called on the network; null: this node does not have it. */
  async find(ipns: Uint8Array): Promise<NamedKey | null> {
    return (await this.list()).find((key) => bytesEqual(key.ipns, ipns)) ?? null;
  }

  /** @param bits of an RSA key. @throws NodeError `IPFS_KEY_NAME`, `IPFS_KEY_EXISTS`, `IPFS_KEY_BITS`, `FILE_WRITE` */
  create(name: string, type: OwnKeyType, bits: number | null = null): Promise<NamedKey> {
    return this.#changing(async () => {
      if (type === 'rsa' && bits !== null && (bits < rsaBits.min || bits > rsaBits.max))
        throw new NodeError('IPFS_KEY_BITS', `An RSA key has ${rsaBits.min} to ${rsaBits.max} bits.`, {
          op: 'key',
        });
      await this.#checkFree(name);
      return this.#store(name, await createOwnKey(type, bits ?? rsaBits.min));
    });
  }

  /** @throws NodeError `IPFS_KEY_NAME`, `IPFS_KEY_EXISTS`, `IPFS_KEY_FORMAT`, `FILE_WRITE` */
  importKey(name: string, bytes: Uint8Array, format: KeyFormat): Promise<NamedKey> {
    return this.#changing(async () => {
      await this.#checkFree(name);
      const key =
        format === 'pem-pkcs8-cleartext'
          ? tryOwnKeyFromPem(tryDecodeUtf8(bytes) ?? '')
          : tryOwnKey(tryDecodePrivateKey(bytes));
      if (key !== null && tryPublicKeyOf(key) !== null) return this.#store(name, key);
      throw new NodeError(
        'IPFS_KEY_FORMAT',
        `This is no key in the format ${format} (Ed25519, secp256k1, or RSA of ${rsaBits.min} to ${rsaBits.max} bits).`,
        { op: 'key' },
      );
    });
  }

  /** @throws NodeError `IPFS_KEY_NONE` */
  async exportKey(name: string, format: KeyFormat): Promise<Uint8Array> {
    const key = name === selfName ? await this.#readSelf() : await this.#tryRead(name);
    if (key === null) throw missing(name);
    return format === 'pem-pkcs8-cleartext' ? encodeUtf8(ownKeyToPem(key)) : encodePrivateKey(key);
  }

  /** @throws NodeError `IPFS_KEY_NONE`, `IPFS_KEY_NAME`, `IPFS_KEY_EXISTS`, `FILE_WRITE` */
  rename(
    name: string,
    newName: string,
    { force = false } = {},
  ): Promise<{ readonly key: NamedKey; readonly isOverwritten: boolean }> {
    return this.#changing(async () => {
      checkName(name);
      checkName(newName);
      const key = await this.#tryRead(name);
      if (key === null) throw missing(name);
      const isOverwritten = name !== newName && (await this.#tryRead(newName)) !== null;
      if (isOverwritten && !force) throw exists(newName);
      if (name !== newName) await renameFile(this.#pathOf(name), this.#pathOf(newName));
      return { key: this.#named(newName, key), isOverwritten };
    });
  }

  /** @throws NodeError `IPFS_KEY_NONE`, `IPFS_KEY_NAME`, `FILE_WRITE` */
  remove(name: string): Promise<NamedKey> {
    return this.#changing(async () => {
      checkName(name);
      const key = await this.#tryRead(name);
      if (key === null) throw missing(name);
      await removeFile(this.#pathOf(name));
      return this.#named(name, key);
    });
  }

  async #store(name: string, key: OwnKey): Promise<NamedKey> {
    const { files } = this.#deps;
    await files.makeFolder(this.#folder);
    await files.writeFile(this.#pathOf(name), encodePrivateKey(key), { secret: true });
    return this.#named(name, key);
  }

  async #checkFree(name: string): Promise<void> {
    checkName(name);
    if ((await this.#deps.files.kind(this.#pathOf(name))) !== null) throw exists(name);
  }

  /** Null: there is no such file, or no key in it. */
  async #tryRead(name: string): Promise<OwnKey | null> {
    const { files } = this.#deps;
    if (!isName(name) || (await files.kind(this.#pathOf(name))) !== 'file') return null;
    const key = tryOwnKey(tryDecodePrivateKey(await files.readFile(this.#pathOf(name), keyBytesMax)));
    return key !== null && tryPublicKeyOf(key) !== null ? key : null;
  }

  async #self(): Promise<NamedKey> {
    return this.#named(selfName, await this.#readSelf());
  }

  /** As the overlay reads it, which would make the same file where none is there. */
  async #readSelf(): Promise<OwnKey> {
    const { files } = this.#deps;
    if ((await files.kind(this.#selfPath)) === null) {
      const text = Buffer.from(encodePrivateKey(await createOwnKey('ed25519'))).toString('base64');
      await files.writeFile(this.#selfPath, encodeUtf8(`${text}\n`), { secret: true });
    }
    const text = tryDecodeUtf8(await files.readFile(this.#selfPath, keyBytesMax)) ?? '';
    const key = tryOwnKey(tryDecodePrivateKey(Buffer.from(text.trim(), 'base64')));
    if (key !== null && tryPublicKeyOf(key) !== null) return key;
    throw new NodeError('OVERLAY_KEY', `${this.#selfPath} holds no key: put back the file that was there.`, {
      op: 'identity',
    });
  }

  #named(name: string, key: OwnKey): NamedKey {
    const publicKey: IpfsPublicKey = { type: key.type, data: tryPublicKeyOf(key)! };
    const ipns = ipnsNameOf(publicKey, this.#deps.hashes);
    return {
      name,
      key: publicKey,
      ipns,
      peer: ipnsPeerText(ipns),
      sign: (message) => signWithOwnKey(key, message),
    };
  }

  #pathOf(name: string): string {
    return join(this.#folder, `${prefix}${base32.encoder.encode(encodeUtf8(name)).slice(1)}`);
  }

  #changing<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

function isName(name: string): boolean {
  const { length } = encodeUtf8(name);
  return length > 0 && length <= nameBytesMax && !/[/\p{Cc}]/u.test(name) && name.isWellFormed();
}

function checkName(name: string): void {
  if (name === selfName)
    throw new NodeError('IPFS_KEY_NAME', 'The key "self" is the node’s own: it stays as it is.', {
      op: 'key',
    });
  if (isName(name)) return;
  throw new NodeError(
    'IPFS_KEY_NAME',
    `A key’s name has 1 to ${nameBytesMax} bytes, and no slash or control character among them.`,
    { op: 'key' },
  );
}

function missing(name: string): NodeError {
  return new NodeError('IPFS_KEY_NONE', `no key named ${name} was found`, { op: 'key' });
}

function exists(name: string): NodeError {
  return new NodeError('IPFS_KEY_EXISTS', `key by that name already exists: "${name}"`, { op: 'key' });
}

function nameOfFile(file: string): string | null {
  if (!file.startsWith(prefix)) return null;
  try {
    const name = tryDecodeUtf8(base32.decoder.decode(`b${file.slice(prefix.length)}`));
    return name !== null && isName(name) && name !== selfName ? name : null;
  } catch {
    return null;
  }
}

function tryOwnKey(key: IpfsPublicKey | null): OwnKey | null {
  return key === null || key.type === 'ecdsa' ? null : { type: key.type, data: key.data };
}
