/**
 * Local service discovery (BEP 14): datagrams to a multicast group by which programs of one network tell each other
 * which torrents they have. The form is that of an HTTP request; one datagram may name several torrents.
 *
 * Transmission 3 reads no datagram above 200 bytes and looks only at the first torrent, and it wants the names of the
 * headers written as here and two empty lines at the end.
 */
import {
  encodeUtf8,
  type Fault,
  failed,
  type IpAddress,
  ok,
  type Result,
  toHex,
  toLatin1,
  tryFromHex,
} from '@tequio/kernel';

/** Where announces go: IPv4, and IPv6 site-local. */
export const localDiscoveryGroups = {
  4: '239.192.152.143' as IpAddress,
  6: 'ff15::efc0:988f' as IpAddress,
} as const;

export const localDiscoveryPort = 6771;

export const localDiscoveryLimits = {
  /** Of a datagram that we send (BEP 14). */
  sentBytesMax: 1400,
  /** Of one that is read; a longer one has been put together from fragments. */
  readBytesMax: 1500,
  /** Torrents named in one datagram: what 1,400 bytes hold. */
  infoHashCountMax: 24,
  /** Of a cookie as it is compared; longer ones are nobody's that we know. */
  cookieLengthMax: 64,
} as const;

export type LocalAnnounce = {
  /** TCP and uTP port at which the sender listens. */
  readonly port: number;
  /** 20 bytes each. */
  readonly infoHashes: readonly Uint8Array[];
  /** Tells the sender its own announces when they come back; null: none given. */
  readonly cookie: string | null;
};

/** @param announce at most {@link localDiscoveryLimits}.infoHashCountMax torrents; the cookie ASCII without spaces */
export function encodeLocalAnnounce(announce: LocalAnnounce, family: 4 | 6): Uint8Array {
  const group = localDiscoveryGroups[family];
  const lines = [
    'BT-SEARCH * HTTP/1.1',
    `Host: ${family === 6 ? `[${group}]` : group}:${localDiscoveryPort}`,
    `Port: ${announce.port}`,
    ...announce.infoHashes.map((infoHash) => `Infohash: ${toHex(infoHash)}`),
    ...(announce.cookie === null ? [] : [`cookie: ${announce.cookie}`]),
  ];
  return encodeUtf8(`${lines.join('\r\n')}\r\n\r\n\r\n`);
}

/**
 * Decodes one datagram, tolerantly: names of headers in any case and order, any line ends, unknown headers ignored,
 * info-hashes that are none left out. Fault: `BITTORRENT_LOCAL_ANNOUNCE`, when it is no announce, or has no port or no
 * torrent.
 */
export function decodeLocalAnnounce(datagram: Uint8Array): Result<LocalAnnounce> {
  if (datagram.length > localDiscoveryLimits.readBytesMax) return failed(announceFault);
  const [first, ...lines] = toLatin1(datagram).split(/\r?\n/);
  if (!/^BT-SEARCH \* HTTP\/1\.\d$/i.test(first!)) return failed(announceFault);
  let port = 0;
  let cookie: string | null = null;
  const infoHashes: Uint8Array[] = [];
  for (const line of lines) {
    const header = /^([A-Za-z0-9-]+):[ \t]*([\x21-\x7e]*)[ \t]*$/.exec(line);
    if (header === null) continue;
    const value = header[2]!;
    switch (header[1]!.toLowerCase()) {
      case 'port':
        port = /^\d{1,5}$/.test(value) ? Number(value) : 0;
        break;
      case 'cookie':
        cookie = value.slice(0, localDiscoveryLimits.cookieLengthMax);
        break;
      case 'infohash': {
        const infoHash = value.length === 40 ? tryFromHex(value) : null;
        if (infoHash !== null && infoHashes.length < localDiscoveryLimits.infoHashCountMax)
          infoHashes.push(infoHash);
        break;
      }
    }
  }
  if (port < 1 || port > 65535 || infoHashes.length === 0) return failed(announceFault);
  return ok({ port, infoHashes, cookie });
}

const announceFault: Fault = {
  code: 'BITTORRENT_LOCAL_ANNOUNCE',
  message: 'A datagram of local discovery cannot be read.',
  blame: 'peer',
  penalty: 0,
};
