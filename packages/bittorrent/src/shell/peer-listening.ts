/** Where peers can call: TCP and UDP at one number, which trackers and peers are told. */
import { type Log, NodeError } from '@tequio/kernel';
import type { SharedUdp, UtpStreams } from '@tequio/network';
import type { CompleteOptions } from '../options.ts';
import type { PeerAcceptor } from './peer-acceptor.ts';

/** Any port will do, but TCP and UDP must both have it free: so many are tried. */
const listenTryCount = 10;

type ListenOptions = Pick<CompleteOptions, 'bind' | 'port' | 'usualPort' | 'transport' | 'listen'>;

type Listeners = {
  readonly acceptor: PeerAcceptor;
  readonly shared: SharedUdp;
  readonly utp: UtpStreams;
  readonly log: Log;
};

/** At the port that the user named, or the usual one, or any. @throws NodeError `NET_LISTEN` */
export async function startListening(options: ListenOptions, on: Listeners): Promise<void> {
  const { port, usualPort } = options;
  if (port !== null) {
    await listenAt(port, options, on);
    return;
  }
  try {
    await listenAt(usualPort, options, on);
  } catch (error) {
    on.log.debug('listen.usual-port-taken', { port: usualPort, error: String(error) });
    await listenAt(0, options, on);
  }
}

/** TCP and UDP share a number; where any will do, one that is free for both. */
async function listenAt(port: number, options: ListenOptions, on: Listeners): Promise<void> {
  const { bind: address, transport, listen } = options;
  const { acceptor, shared, utp, log } = on;
  if (!listen) {
    // Only to send from and to be answered at.
    await shared.start({ address, port: 0 }).catch((error: unknown) => {
      log.debug('listen.no-udp', { error: String(error) });
    });
    return;
  }
  for (let tries = 1; ; tries++) {
    if (transport !== 'utp') await acceptor.start({ address, port });
    try {
      await shared.start({ address, port: transport === 'utp' ? port : acceptor.port });
      break;
    } catch (error) {
      const isTaken = error instanceof NodeError && error.retry;
      if (!isTaken && transport !== 'utp') {
        log.warn('listen.no-udp', { error: String(error) });
        return;
      }
      await acceptor.close();
      if (port !== 0 || !isTaken || tries === listenTryCount) throw error;
    }
  }
  if (transport !== 'tcp') await acceptor.start({ address, port: shared.localPort }, utp);
}
