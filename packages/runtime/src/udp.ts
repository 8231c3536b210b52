import type { Log, UdpPort } from '@tequio/kernel';
import { silentLog } from '@tequio/kernel';
import { tryLoadLibc } from './libc.ts';
import { canBatch, createBatchedUdp } from './udp-batched.ts';
import { createSingleUdp } from './udp-single.ts';

/**
 * UDP over the system's sockets. A socket speaks IPv4 or IPv6, never both, so that both can have the same port. Many
 * datagrams a system call where that is possible; what hears groups is Node's own everywhere, for it is never busy.
 */
export function createUdp({ log = silentLog }: { readonly log?: Log } = {}): UdpPort {
  const single = createSingleUdp();
  let batched: UdpPort | null | undefined;
  return {
    bind: (at, onDatagram) => {
      if (at.multicast !== undefined) return single.bind(at, onDatagram);
      if (batched === undefined) {
        const libc = tryLoadLibc();
        batched = libc !== null && canBatch(libc) ? createBatchedUdp(libc) : null;
        log.debug('udp.calls', { datagrams: batched === null ? 'single' : 'batched' });
      }
      return (batched ?? single).bind(at, onDatagram);
    },
  };
}

/** Whether this machine sends many datagrams a system call, and none in pieces. */
export function hasBatchedUdp(): boolean {
  const libc = tryLoadLibc();
  return libc !== null && canBatch(libc);
}
