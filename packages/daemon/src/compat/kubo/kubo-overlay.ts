import type { OverlayPort } from '@tequio/kernel';
import { KuboUsageError } from './kubo-call.ts';
import type { KuboDeps } from './kubo-verb.ts';

/** @throws KuboUsageError while the node takes no part in libp2p */
export function overlayOf({ exchange }: Pick<KuboDeps, 'exchange'>): OverlayPort {
  if (exchange === null)
    throw new KuboUsageError(
      'this action must be run in online mode: set overlay.enabled, and start the node again',
    );
  return exchange.overlay;
}

/** The peer at an address's end, or the text itself. @throws KuboUsageError when it is none */
export function peerOf(text: string): string {
  const peer = text.startsWith('/') ? (/\/p2p\/([^/]+)\/?$/.exec(text)?.[1] ?? '') : text;
  if (/^[1-9A-HJ-NP-Za-km-z]{32,64}$|^[bkz][0-9a-zA-Z]{40,90}$/.test(peer)) return peer;
  throw new KuboUsageError(`failed to parse peer ID: "${text}"`);
}
