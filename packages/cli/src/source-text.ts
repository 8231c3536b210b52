import type { CliWorld } from './cli-world.ts';

/** True for what is itself the torrent's address or name: a magnet link, a web address, a hex info-hash. */
export function isSourceAddress(text: string): boolean {
  return /^(?:magnet:\?|https?:\/\/)/i.test(text) || /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(text);
}

/** What `NodeApi.readSource` takes, of what the user typed: anything but an address is a path. */
export function resolveSource(world: Pick<CliWorld, 'resolvePath'>, text: string): string {
  return isSourceAddress(text) ? text : world.resolvePath(text);
}
