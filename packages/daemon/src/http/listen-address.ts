import { addressScope, type IpAddress, NodeError, tryParseAddress } from '@tequio/kernel';

export type ListenAddress = { readonly address: IpAddress; readonly port: number };

/** `127.0.0.1:27270`, `[::1]:0`, `localhost:80`. @throws NodeError `HTTP_ADDRESS` */
export function readListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text.trim());
  const name = match?.[1] ?? match?.[2] ?? '';
  const address = tryParseAddress(name === 'localhost' ? '127.0.0.1' : name);
  const port = Number(match?.[3] ?? 65536);
  if (address !== null && port <= 65535) return { address, port };
  throw new NodeError(
    'HTTP_ADDRESS',
    `“${text}” is no address to listen on: write ADDRESS:PORT, as 127.0.0.1:27270 or [::]:27270.`,
    { op: 'listen' },
  );
}

export function isLoopback({ address }: ListenAddress): boolean {
  return addressScope(address) === 'loopback';
}

/** For an address: `127.0.0.1`, `[::1]`. An unspecified one is reached at the own machine. */
export function urlHostOf(address: IpAddress): string {
  const reached =
    addressScope(address) === 'unspecified' ? (address.includes(':') ? '::1' : '127.0.0.1') : address;
  return reached.includes(':') ? `[${reached}]` : reached;
}
