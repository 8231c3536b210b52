/** In which order settings are shown: what most people look for first. Both languages have all names (tested). */

export type SettingGroup = {
  readonly id: string;
  readonly en: string;
  readonly es: string;
  readonly keys: readonly string[];
};

export const settingGroups: readonly SettingGroup[] = [
  {
    id: 'folders',
    en: 'Folders',
    es: 'Carpetas',
    keys: [
      'folders.download',
      'folders.incomplete',
      'folders.finished',
      'folders.torrentFiles',
      'bittorrent.preallocate',
      'bittorrent.reuse',
    ],
  },
  {
    id: 'speed',
    en: 'Speed',
    es: 'Velocidad',
    keys: [
      'bittorrent.limitDown',
      'bittorrent.limitUp',
      'altLimits.limitDown',
      'altLimits.limitUp',
      'altLimits.schedule',
    ],
  },
  {
    id: 'queue',
    en: 'How many at once',
    es: 'Cuántos a la vez',
    keys: ['queue.activeDownloads', 'queue.activeSeeds', 'queue.activeTotal', 'queue.slowRate'],
  },
  {
    id: 'sharing',
    en: 'How long to share',
    es: 'Cuánto tiempo compartir',
    keys: ['sharing.ratio', 'sharing.seedingMinutes', 'sharing.idleMinutes', 'sharing.action'],
  },
  {
    id: 'peers',
    en: 'Finding others, and being found',
    es: 'Encontrar a otros y dejarse encontrar',
    keys: [
      'bittorrent.port',
      'bittorrent.portMapping',
      'bittorrent.dht',
      'bittorrent.pex',
      'bittorrent.lsd',
      'bittorrent.transport',
      'bittorrent.encryption',
      'bittorrent.bind',
      'bittorrent.dhtBootstrap',
    ],
  },
  {
    id: 'overlay',
    en: 'libp2p',
    es: 'libp2p',
    keys: [
      'overlay.enabled',
      'overlay.port',
      'overlay.dht',
      'overlay.relayServer',
      'overlay.localDiscovery',
      'overlay.webRtc',
      'overlay.webSocketPort',
      'overlay.quicPort',
      'overlay.connections',
      'overlay.bootstrap',
      'overlay.swarmKey',
    ],
  },
  {
    id: 'ipfs',
    en: 'IPFS',
    es: 'IPFS',
    keys: [
      'ipfs.enabled',
      'ipfs.limitDown',
      'ipfs.limitUp',
      'ipfs.quota',
      'ipfs.gateway',
      'ipfs.gatewayDomains',
      'ipfs.provide',
      'ipfs.routers',
      'ipfs.gateways',
      'ipfs.denyLists',
      'ipfs.namesByPubsub',
    ],
  },
  {
    id: 'proxy',
    en: 'Proxy and address filter',
    es: 'Proxy y filtro de direcciones',
    keys: [
      'proxy.url',
      'proxy.peers',
      'proxy.trackers',
      'addressFilter.source',
      'addressFilter.refreshHours',
    ],
  },
  {
    id: 'automatic',
    en: 'By itself',
    es: 'Por sí solo',
    keys: [
      'watch',
      'rss.enabled',
      'rss.addByRules',
      'rss.refreshMinutes',
      'rss.itemCountMax',
      'completion.eachFile',
      'completion.program',
      'completion.timeoutSeconds',
    ],
  },
  {
    id: 'access',
    en: 'Page and API',
    es: 'Página y API',
    keys: [
      'http.enabled',
      'http.address',
      'http.basePath',
      'http.allowedHosts',
      'http.trustedProxies',
      'http.streamAddress',
      'http.streamOrigin',
      'web.folder',
      'web.path',
      'compat.transmission',
      'compat.qbittorrent',
      'compat.aria2',
      'compat.kubo',
      'users.folder',
    ],
  },
  { id: 'node', en: 'The node', es: 'El nodo', keys: ['node.name', 'node.language'] },
];
