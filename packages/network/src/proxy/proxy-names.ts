/**
 * Names that nobody here looks up: each gets an address of 240.0.0.0/8, which no machine has, and whoever dials or
 * sends there means the name. So code that asks a resolver first and dials an address afterwards works through a
 * proxy that resolves names itself.
 */
import { addressFromBytes, type IpAddress, isStandInAddress, tryParseAddress } from '@tequio/kernel';

export const proxyNameLimits = {
  /** Names at once; the longest unused one is forgotten. An address is not used again for 16 million names. */
  nameCountMax: 4096,
  /** RFC 1035, section 2.3.4. */
  nameCharactersMax: 255,
} as const;

export class ProxyNames {
  readonly #byName = new Map<string, IpAddress>();
  readonly #byAddress = new Map<IpAddress, string>();
  #nextNumber = 1;

  /** An IP address is itself. Null: that is no host's name. */
  tryAddressOf(name: string): IpAddress | null {
    const literal = tryParseAddress(name);
    if (literal !== null) return literal;
    if (name === '' || name.length > proxyNameLimits.nameCharactersMax) return null;
    const known = this.#byName.get(name);
    const address = known ?? this.#newAddress();
    this.#byName.delete(name);
    this.#byName.set(name, address);
    this.#byAddress.set(address, name);
    if (this.#byName.size > proxyNameLimits.nameCountMax) this.#forget(this.#byName.keys().next().value!);
    return address;
  }

  /** What to tell the proxy; null: it stood for a name once, and nobody knows which. */
  tryHostOf(address: IpAddress): string | null {
    return this.#byAddress.get(address) ?? (isStandInAddress(address) ? null : address);
  }

  #newAddress(): IpAddress {
    const number = this.#nextNumber++;
    return addressFromBytes(Uint8Array.of(240, number >> 16, number >> 8, number));
  }

  #forget(name: string): void {
    this.#byAddress.delete(this.#byName.get(name)!);
    this.#byName.delete(name);
  }
}
