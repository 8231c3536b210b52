/** The naive twin of the address filter: text, regular expressions, and a list that is looked through. */
import { addressToBytes, type IpAddress, tryAddressToBytes } from '@tequio/kernel';

type Range = { readonly bits: 32 | 128; readonly first: bigint; readonly last: bigint };

const v4 = String.raw`\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}`;
const v6 = '[0-9a-fA-F:.]*:[0-9a-fA-F:.]*';
const comment = String.raw`(?:[ \t]*[#;].*)?`;
const forms: readonly RegExp[] = [
  new RegExp(`^(?<a>${v4})/(?<bits>\\d{1,3})${comment}$`),
  new RegExp(`^(?<a>${v4})${comment}$`),
  new RegExp(`^(?<a>${v4})[ \\t]*-[ \\t]*(?<b>${v4})[ \\t]*(?:,[ \\t]*(?<level>\\d{0,3}).*|${comment})$`),
  new RegExp(`^.*:[ \\t]*(?<a>${v4})[ \\t]*-[ \\t]*(?<b>${v4})$`),
  new RegExp(`^(?<a>${v6})/(?<bits>\\d{1,3})${comment}$`),
  new RegExp(`^(?<a>${v6})${comment}$`),
  new RegExp(`^(?<a>${v6})[ \\t]*-[ \\t]*(?<b>${v6})[ \\t]*(?:,[ \\t]*(?<level>\\d*).*|${comment})$`),
];

const namedV6 = new RegExp(`^([^,#;]*)-([ \\t]*${v6}.*)$`);

export class AddressFilterModel {
  readonly ranges: Range[] = [];
  readonly badLines: number[] = [];

  constructor(text: string) {
    text.split('\n').forEach((raw, index) => {
      const line = raw.replace(/^[ \t\r]+|[ \t\r]+$/g, '');
      if (line === '' || /^(?:#|;|\/\/)/.test(line)) return;
      if (!this.#read(line)) this.badLines.push(index + 1);
    });
  }

  blocks(address: IpAddress): boolean {
    const bytes = addressToBytes(address);
    const value = toNumber(bytes);
    return this.ranges.some(
      ({ bits, first, last }) => bits === bytes.length * 8 && first <= value && value <= last,
    );
  }

  #read(line: string): boolean {
    if (this.#readForms(line)) return true;
    // A name before IPv6: the first colon behind which an address stands ends it.
    const [left, right] = namedV6.exec(line)?.slice(1) ?? [];
    if (left === undefined || /^[ \t]*[#;]/.test(left)) return false;
    for (let at = 0; at < left.length; at++) {
      if (at > 0 && left[at - 1] !== ':') continue;
      if (tryNumber(left.slice(at).trim())?.bits === 128)
        return this.#readForms(`${left.slice(at).trim()}-${right}`);
    }
    return false;
  }

  #readForms(line: string): boolean {
    for (const form of forms) {
      const { a, b, bits, level } = form.exec(line)?.groups ?? {};
      if (a === undefined) continue;
      const [from, to] = [tryNumber(a), tryNumber(b ?? a)];
      if (from === null || to === null || from.bits !== to.bits) continue;
      const { bits: width } = from;
      if (bits !== undefined) {
        if (Number(bits) > width) continue;
        const low = (1n << BigInt(width - Number(bits))) - 1n;
        this.ranges.push({ bits: width, first: from.value & ~low, last: from.value | low });
        return true;
      }
      if (level !== undefined && level !== '' && Number(level) >= 128) return true;
      if (from.value > to.value) return false;
      this.ranges.push({ bits: width, first: from.value, last: to.value });
      return true;
    }
    return false;
  }
}

function tryNumber(text: string): { bits: 32 | 128; value: bigint } | null {
  const plain = text.includes(':') ? text : text.replace(/\b0+(?=\d)/g, '');
  const bytes = tryAddressToBytes(plain);
  return bytes === null ? null : { bits: bytes.length === 4 ? 32 : 128, value: toNumber(bytes) };
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
