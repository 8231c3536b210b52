import type { Settings } from '@tequio/api';
import type { CompatRoute } from '../http/compat-route.ts';
import { createAria2Route } from './aria2/aria2-route.ts';
import type { CompatPorts } from './compat-caller.ts';
import { createKuboRoute } from './kubo/kubo-route.ts';
import type { KuboDeps } from './kubo/kubo-verb.ts';
import { createQbittorrentRoute } from './qbittorrent/qbittorrent-route.ts';
import { createTransmissionRoute } from './transmission/transmission-route.ts';

/** Other programs' interfaces to this node, those that its settings allow. */
export function createCompatRoutes(
  ports: CompatPorts & { readonly openKubo?: () => Promise<KuboDeps> },
  wanted: Settings['compat'],
): readonly CompatRoute[] {
  const { openKubo } = ports;
  return [
    wanted.transmission ? [createTransmissionRoute(ports)] : [],
    wanted.aria2 ? [createAria2Route(ports)] : [],
    wanted.qbittorrent ? [createQbittorrentRoute(ports)] : [],
    wanted.kubo && openKubo !== undefined ? [createKuboRoute(openKubo)] : [],
  ].flat();
}
