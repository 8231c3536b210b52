/** `cid/…`: what a CID says, and other ways to write it. */
import { cidText, codecs, hashCodes, makeCid, multibases, tryParseCid } from '@tequio/ipfs';
import { value, values } from './kubo-answer.ts';
import { type KuboCall, KuboUsageError } from './kubo-call.ts';
import { type Cid, readCodec } from './kubo-path.ts';
import type { KuboVerbs } from './kubo-verb.ts';

export const cidVerbs: KuboVerbs = {
  'cid/format': { scope: 'read', run: (call) => values(formatted(call)) },
  'cid/base32': { scope: 'read', run: (call) => values(inBase32(call)) },
  'cid/bases': {
    scope: 'read',
    run: () =>
      value([...multibases].map(([name, { prefix }]) => ({ Name: name, Code: prefix.codePointAt(0) }))),
  },
  'cid/codecs': {
    scope: 'read',
    run: () => value(Object.entries(codecs).map(([name, code]) => ({ Name: name, Code: code }))),
  },
  'cid/hashes': {
    scope: 'read',
    run: () => value([...hashCodes].map(([name, code]) => ({ Name: name, Code: code }))),
  },
};

async function* formatted(call: KuboCall): AsyncGenerator<unknown> {
  call.arg(0, 'cid');
  const format = call.text('f', '%s');
  const [base, version, codec] = [
    call.text('b') ?? call.text('multibase'),
    call.text('v'),
    call.text('mc') ?? call.text('codec'),
  ];
  if (base !== null && !multibases.has(base)) throw new KuboUsageError(`unknown multibase: "${base}"`);
  for (const text of call.args)
    yield convert(text, (cid) => formatOf(changed(cid, version, codec), format, base));
}

async function* inBase32(call: KuboCall): AsyncGenerator<unknown> {
  call.arg(0, 'cid');
  for (const text of call.args) yield convert(text, (cid) => cidText(cid.toV1(), 'base32'));
}

function convert(text: string, work: (cid: Cid) => string): unknown {
  const cid = tryParseCid(text);
  if (cid === null) return { CidStr: text, Formatted: '', ErrorMsg: `invalid cid: "${text}"` };
  try {
    return { CidStr: text, Formatted: work(cid), ErrorMsg: '' };
  } catch (error) {
    return { CidStr: text, Formatted: '', ErrorMsg: error instanceof Error ? error.message : String(error) };
  }
}

function changed(cid: Cid, version: string | null, codec: string | null): Cid {
  const recoded = codec === null ? cid : makeCid(readCodec(codec), cid.multihash.code, cid.multihash.digest);
  if (version === null) return recoded;
  if (version === '1') return recoded.toV1();
  if (version !== '0') throw new KuboUsageError(`unknown CID version: "${version}"`);
  if (codec === null && cid.code !== codecs['dag-pb'])
    throw new KuboUsageError('invalid codec for CIDv0: use dag-pb');
  return cid.toV0();
}

/** Kubo's signs: %% %b %B %v %V %c %C %h %H %L %m %M %d %D %s %S %P. */
function formatOf(cid: Cid, format: string, base: string | null): string {
  const shown = base ?? (cid.version === 0 ? 'base58btc' : 'base32');
  const encoder = multibases.get(shown)!.encoder;
  const text =
    cid.version === 0 && base === null ? cid.toString() : base === null ? cid.toString() : cidText(cid, base);
  const codecName = Object.entries(codecs).find(([, code]) => code === cid.code)?.[0] ?? String(cid.code);
  const hashName =
    [...hashCodes].find(([, code]) => code === cid.multihash.code)?.[0] ?? String(cid.multihash.code);
  const signs: Readonly<Record<string, () => string>> = {
    '%': () => '%',
    b: () => shown,
    B: () => encoder.prefix,
    v: () => `cidv${cid.version}`,
    V: () => String(cid.version),
    c: () => codecName,
    C: () => String(cid.code),
    h: () => hashName,
    H: () => String(cid.multihash.code),
    L: () => String(cid.multihash.size),
    m: () => encoder.encode(cid.multihash.bytes),
    M: () => encoder.encode(cid.multihash.bytes),
    d: () => encoder.encode(cid.multihash.digest),
    D: () => encoder.encode(cid.multihash.digest),
    s: () =>
      cid.version === 0 && base === null
        ? cid.toString()
        : encoder.encode(cid.bytes).slice(cid.version === 0 ? 0 : 1),
    S: () => text,
    P: () => `cidv${cid.version}-${codecName}-${hashName}-${cid.multihash.size}`,
  };
  return format.replaceAll(/%(.)/g, (whole, sign: string) => {
    const write = signs[sign];
    if (write === undefined) throw new KuboUsageError(`unrecognized specifier in format string: "${whole}"`);
    return write();
  });
}
