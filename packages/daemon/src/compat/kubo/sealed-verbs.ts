/**
 * `sealed/…`, which kubo does not have: files that only those can read who have their link. The link is the key, so it
 * comes as the call's file: what stands in an address is written down by programs on the way.
 */
import type { IpfsSealed } from '@tequio/api';
import { bytes, value } from './kubo-answer.ts';
import type { KuboCall } from './kubo-call.ts';
import type { KuboDeps, KuboVerbs } from './kubo-verb.ts';

const linkBytesMax = 1024;

export const sealedVerbs: KuboVerbs = {
  // It reads any file that the node can read, so it is for whoever may do everything.
  'sealed/add': {
    scope: 'admin',
    run: async (call, { service }) => value({ Link: await service.seal(call.arg(0, 'path')) }),
  },
  'sealed/stat': {
    scope: 'read',
    run: async (call, deps) => {
      const { name, bytes: size } = await open(call, deps);
      return value({ Name: name, Size: size });
    },
  },
  'sealed/cat': {
    scope: 'read',
    run: async (call, deps) => {
      const [from, length] = [call.count('offset') ?? 0, call.count('length')];
      const file = await open(call, deps);
      return bytes(file.content(from, length === null ? file.bytes : from + length));
    },
  },
};

async function open(call: KuboCall, { service, reader }: KuboDeps): Promise<IpfsSealed> {
  const link = new TextDecoder().decode(await call.contentBytes('link', linkBytesMax));
  return service.openSealed(link, { reader, signal: call.signal });
}
