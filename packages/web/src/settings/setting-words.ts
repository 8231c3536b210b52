/**
 * Names of settings in both languages, and their explanations in Spanish; in English these are those of the schema,
 * unless that speaks of what only somebody sees who writes the config file.
 * A setting that is not here is shown under its key.
 */

export type SettingWords = {
  readonly en: string;
  readonly es: string;
  /** The explanation in Spanish. */
  readonly text: string;
  /** The explanation in English, where it is not that of the schema. */
  readonly textEn?: string;
};

function words(en: string, es: string, text: string, textEn?: string): SettingWords {
  return { en, es, text, ...(textEn !== undefined && { textEn }) };
}

export const settingWords: Readonly<Record<string, SettingWords>> = {
  'node.name': words('Name', 'Nombre', 'Cómo se llama este nodo en su página.'),
  'node.language': words('Language of messages', 'Idioma de los mensajes', 'De la terminal y de los avisos.'),
  'folders.download': words(
    'Downloads',
    'Descargas',
    'Adónde va lo que se añade sin carpeta; si no se dice nada, a `Downloads` en la carpeta personal.',
  ),
  'folders.incomplete': words(
    'While incomplete',
    'Mientras no esté completo',
    'Dónde está el contenido hasta que se completa; si no se dice nada, donde se quedará.',
  ),
  'folders.finished': words(
    'When complete',
    'Una vez completo',
    'Adónde se mueve el contenido al completarse; si no se dice nada, se queda.',
  ),
  'folders.torrentFiles': words(
    'Copies of .torrent files',
    'Copias de los .torrent',
    'Dónde se guarda una copia de cada archivo .torrent; si no se dice nada, en ninguna parte.',
  ),
  'bittorrent.preallocate': words(
    'Take the space at once',
    'Reservar el espacio',
    'Ocupa el espacio en el disco antes de que llegue el contenido.',
  ),
  'bittorrent.reuse': words(
    'Take what is here already',
    'Aprovechar lo que ya está aquí',
    'El contenido que ya tiene otro torrent se toma del disco: de los del mismo usuario, de todos (y así un usuario puede saber que otro lo tiene) o de ninguno.',
  ),
  'bittorrent.limitDown': words(
    'Download limit',
    'Límite de descarga',
    'De todo el nodo; vacío: sin límite.',
  ),
  'bittorrent.limitUp': words('Upload limit', 'Límite de subida', 'De todo el nodo; vacío: sin límite.'),
  'altLimits.limitDown': words(
    'Download in slow mode',
    'Descarga en modo lento',
    'Mientras el modo lento esté activo; vacío: sin límite.',
    'While slow mode is on; empty: no limit.',
  ),
  'altLimits.limitUp': words(
    'Upload in slow mode',
    'Subida en modo lento',
    'Mientras el modo lento esté activo; vacío: sin límite.',
    'While slow mode is on; empty: no limit.',
  ),
  'altLimits.schedule': words(
    'Slow mode by the clock',
    'Modo lento por horario',
    'A estas horas se activa por sí solo.',
    'It turns on by itself at these times.',
  ),
  'altLimits.schedule.days': words(
    'Days',
    'Días',
    'Los días en que empieza.',
    'The days on which it begins.',
  ),
  'altLimits.schedule.fromMinute': words('From', 'Desde', 'La hora a la que empieza.', 'When it begins.'),
  'altLimits.schedule.toMinute': words(
    'To',
    'Hasta',
    'La hora a la que acaba; al día siguiente si no es más tarde que el comienzo.',
    'When it ends; on the next day if that is not later than the beginning.',
  ),
  'queue.activeDownloads': words('Downloads at once', 'Descargas a la vez', '0: todas.'),
  'queue.activeSeeds': words('Shared at once', 'Compartidos a la vez', '0: todos.'),
  'queue.activeTotal': words('Active at once', 'Activos a la vez', '0: todos.'),
  'queue.slowRate': words(
    'Too slow to count',
    'Demasiado lento para contar',
    'El que vaya más lento durante un minuto no cuenta; 0: cuentan todos.',
  ),
  'sharing.ratio': words('Ratio', 'Proporción', 'Lo subido dividido entre el tamaño del contenido.'),
  'sharing.seedingMinutes': words('Time shared', 'Tiempo compartido', 'Cuánto tiempo se ha compartido.'),
  'sharing.idleMinutes': words('Time unused', 'Tiempo sin uso', 'Cuánto tiempo hace que nadie pide nada.'),
  'sharing.action': words('And then', 'Y después', 'Qué pasa cuando se cumple lo primero de esto.'),
  'bittorrent.port': words(
    'Port',
    'Puerto',
    'TCP y UDP, para los demás; 0: cualquiera libre; vacío: 27272, o uno libre.',
  ),
  'bittorrent.portMapping': words(
    'Open the router',
    'Abrir el enrutador',
    'Pide a los enrutadores que dejen pasar el puerto del nodo.',
  ),
  'bittorrent.dht': words('DHT', 'DHT', 'Participa en la DHT y encuentra pares en ella.'),
  'bittorrent.pex': words(
    'Peers tell of peers',
    'Unos pares hablan de otros',
    'Los pares de torrents públicos se dan a conocer unos a otros.',
  ),
  'bittorrent.lsd': words(
    'Local network',
    'Red local',
    'Encuentra pares en la red local, y se deja encontrar por ellos.',
  ),
  'bittorrent.transport': words('Transport', 'Transporte', 'Cómo se conecta con los pares.'),
  'bittorrent.encryption': words('Encryption', 'Cifrado', 'De las conexiones con los pares.'),
  'bittorrent.bind': words(
    'Interface or address',
    'Interfaz o dirección',
    'Por dónde pasa todo; mientras no exista no se envía nada. Útil con una VPN.',
  ),
  'bittorrent.dhtBootstrap': words(
    'First nodes of the DHT',
    'Primeros nodos de la DHT',
    'A quién se pregunta primero.',
  ),
  'proxy.url': words(
    'Proxy',
    'Proxy',
    '`socks5://USUARIO:CONTRASEÑA@SERVIDOR:PUERTO` o `http://…`; vacío: ninguno.',
  ),
  'proxy.peers': words(
    'For peers',
    'Para los pares',
    'Las conexiones con pares, semillas web y la DHT van por él, y por ningún otro camino.',
  ),
  'proxy.trackers': words(
    'For trackers',
    'Para los rastreadores',
    'Las preguntas a rastreadores y los torrents de la web van por él.',
  ),
  'addressFilter.source': words(
    'Addresses to keep away from',
    'Direcciones que evitar',
    'Ruta completa o dirección web de una lista (P2P, DAT, CIDR; también gzip).',
  ),
  'addressFilter.refreshHours': words(
    'Fetched again every',
    'Se renueva cada',
    'Cada cuánto se vuelve a leer una lista de la web.',
  ),
  'overlay.enabled': words(
    'Always on',
    'Siempre activo',
    'Participa en libp2p aunque nada lo necesite en este momento.',
  ),
  'overlay.port': words(
    'TCP port',
    'Puerto TCP',
    '0: uno libre; si no se dice nada, el 4001, o uno libre si está ocupado.',
  ),
  'overlay.dht': words(
    'Part in the DHT',
    'Papel en la DHT',
    'Ninguno, preguntar, o también responder a otros.',
  ),
  'overlay.relayServer': words(
    'Introduce others',
    'Presentar a otros',
    'Quienes están detrás de un router se encuentran a través de este nodo, con límites estrechos.',
  ),
  'overlay.localDiscovery': words(
    'Local network',
    'Red local',
    'Encuentra nodos de la red local y se deja encontrar por ellos.',
  ),
  'overlay.webRtc': words('WebRTC', 'WebRTC', 'Llega directamente a quienes están detrás de un router.'),
  'overlay.webSocketPort': words(
    'WebSocket port',
    'Puerto de WebSocket',
    'Por él llegan las páginas de los navegadores; si no se dice nada, ninguno.',
  ),
  'overlay.quicPort': words('QUIC port (UDP)', 'Puerto de QUIC (UDP)', 'Si no se dice nada, no se usa QUIC.'),
  'overlay.connections': words('Connections', 'Conexiones', 'Cuántas hay como mucho.'),
  'overlay.bootstrap': words(
    'First nodes',
    'Primeros nodos',
    'Direcciones de los nodos con los que se empieza.',
  ),
  'overlay.swarmKey': words(
    'Key of a private swarm',
    'Clave de un enjambre privado',
    'Archivo con la clave; entonces solo se habla con quien la tiene.',
  ),
  watch: words(
    'Watched folders',
    'Carpetas vigiladas',
    'Los torrents que aparecen en estas carpetas se añaden solos.',
    'Torrents that appear in these folders are added by themselves.',
  ),
  'watch.path': words(
    'Folder to watch',
    'Carpeta vigilada',
    'En la que aparecen archivos .torrent y textos `.magnet`.',
  ),
  'watch.folder': words(
    'Content goes to',
    'El contenido va a',
    'Si no se dice nada, adonde diga la categoría.',
  ),
  'watch.category': words('Category', 'Categoría', 'Categoría de lo que se añade.'),
  'watch.tags': words('Tags', 'Etiquetas', 'Etiquetas de lo que se añade.'),
  'watch.paused': words('Add, but do not start', 'Añadir sin empezar', 'Se añade, pero no empieza.'),
  'watch.action': words(
    'The file, afterwards',
    'El archivo, después',
    'Qué pasa con el archivo: recibe `.added` al final de su nombre, se borra o se queda.',
  ),
  'rss.enabled': words('Read feeds', 'Leer canales', 'Se leen los canales RSS y Atom.'),
  'rss.addByRules': words('Add by rules', 'Añadir por reglas', 'Las reglas añaden lo que encaja con ellas.'),
  'rss.refreshMinutes': words('Read every', 'Leer cada', 'Cada cuánto se lee un canal.'),
  'rss.itemCountMax': words('Items kept', 'Entradas guardadas', 'Cuántas se guardan de un canal.'),
  'completion.eachFile': words(
    'Each file for itself',
    'Cada archivo por su cuenta',
    'Cada archivo se mueve a donde va el contenido completo en cuanto él mismo está completo, sin esperar a los demás.',
  ),
  'completion.program': words(
    'Program to run',
    'Programa que ejecutar',
    'Se ejecuta al completarse un torrent, cada elemento un argumento, nunca en una terminal. {name}, {folder}, {path}, {category}, {tags}, {id}, {bytes} y {tracker} son los del torrent. Vacío: ninguno.',
  ),
  'completion.timeoutSeconds': words('Ended after', 'Se detiene tras', 'Pasado este tiempo se detiene.'),
  'http.enabled': words('Page and API', 'Página y API', 'Se sirven esta página y la API.'),
  'http.address': words(
    'Address',
    'Dirección',
    '`DIRECCIÓN:PUERTO`. Una que no sea de esta misma máquina exige contraseña. Puerto 0: cualquiera libre.',
  ),
  'http.basePath': words('Base path', 'Ruta base', 'Ruta bajo la que un proxy inverso muestra el nodo.'),
  'web.folder': words(
    'Another page',
    'Otra página',
    'Carpeta con una página hecha para Transmission o qBittorrent, que se sirve tal como es.',
  ),
  'web.path': words(
    'Where it is',
    'Dónde está',
    '`/` en lugar de la nuestra; `/transmission/web` para la de Transmission.',
  ),
  'http.allowedHosts': words(
    'Names of this node',
    'Nombres de este nodo',
    'Nombres por los que se le puede llamar, además de direcciones y localhost.',
  ),
  'http.trustedProxies': words(
    'Trusted proxies',
    'Proxies de confianza',
    'Proxies inversos a los que se cree cuando dicen quién pregunta.',
  ),
  'http.streamAddress': words(
    'Address for content',
    'Dirección del contenido',
    '`DIRECCIÓN:PUERTO` del segundo origen, que sirve el contenido; puerto 0: cualquiera libre.',
  ),
  'http.streamOrigin': words(
    'Content behind a proxy',
    'Contenido tras un proxy',
    'Dónde muestra un proxy inverso el segundo origen, como https://contenido.example.org.',
  ),
  'compat.transmission': words('Transmission RPC', 'RPC de Transmission', 'En `/transmission/rpc`.'),
  'compat.qbittorrent': words('qBittorrent Web API', 'API web de qBittorrent', 'En `/api/v2`.'),
  'compat.aria2': words('aria2 JSON-RPC', 'JSON-RPC de aria2', 'En `/jsonrpc`.'),
  'compat.kubo': words('kubo RPC', 'RPC de kubo', 'Para IPFS, en `/api/v0`.'),
  'ipfs.enabled': words(
    'Take part in IPFS',
    'Participar en IPFS',
    'Guarda contenido de IPFS y responde a quien se lo pide a este nodo.',
  ),
  'ipfs.namesByPubsub': words(
    'Names over pubsub',
    'Nombres por pubsub',
    'Los nombres que se publican o se consultan se anuncian, y se oyen, también por pubsub en el acto.',
  ),
  'ipfs.routers': words(
    'HTTP routers',
    'Enrutadores HTTP',
    'A quién se pregunta por HTTP quién tiene algo, además de a la DHT, como https://example.org.',
  ),
  'ipfs.gateways': words(
    'Get blocks from gateways',
    'Obtener bloques de pasarelas',
    'Pasarelas de las que se obtienen bloques, además de los pares. Todo se comprueba, y a la que envía otra cosa no se le vuelve a pedir.',
  ),
  'ipfs.denyLists': words(
    'Lists of denied content',
    'Listas de contenido vetado',
    'Archivos con listas de contenido que ni se muestra, ni se da, ni se busca.',
  ),
  'ipfs.provide': words(
    'Tell others of',
    'Anunciar a los demás',
    'De qué se dice a los demás que está aquí, para que lo encuentren: de nada (none), de las raíces de lo fijado y del árbol de archivos (roots), de cada archivo y carpeta (files), de cada bloque de ellos (pinned) o de todo bloque (everything).',
  ),
  'ipfs.limitDown': words(
    'Download limit of IPFS',
    'Límite de descarga de IPFS',
    'Bloques que llegan de los pares; vacío: sin límite propio. Por TCP cuentan además los límites de todo el nodo.',
  ),
  'ipfs.limitUp': words(
    'Upload limit of IPFS',
    'Límite de subida de IPFS',
    'Bloques que se dan a los pares; vacío: sin límite propio. Por TCP cuentan además los límites de todo el nodo.',
  ),
  'ipfs.quota': words(
    'Space on the disk',
    'Espacio en el disco',
    'Lo que pueden ocupar sus bloques, en bytes; si no se dice nada, mientras haya sitio.',
  ),
  'ipfs.gateway': words(
    'Gateway',
    'Pasarela',
    'Muestra contenido por HTTP en esta dirección, como 127.0.0.1:8080, a todo el que llegue a ella; si no se dice nada, en ninguna.',
  ),
  'ipfs.gatewayDomains': words(
    'Domains shown by the gateway',
    'Dominios que muestra la pasarela',
    'A quien pida uno de ellos a la pasarela se le muestra lo que el dominio nombra en el DNS (DNSLink), como un sitio propio. *.example.org es todo lo que hay debajo de un dominio, y * cualquiera.',
  ),
  'users.folder': words(
    'Folders of users',
    'Carpetas de usuarios',
    'Quien no tenga carpeta propia recibe una aquí; si no se dice nada, en la de descargas.',
  ),
};

/** What can be chosen, by its value in the config file. */
export const choiceWords: Readonly<Record<string, { readonly en: string; readonly es: string }>> = {
  system: { en: 'Like the system', es: 'Como el sistema' },
  en: { en: 'English', es: 'English' },
  es: { en: 'Español', es: 'Español' },
  both: { en: 'TCP and µTP', es: 'TCP y µTP' },
  tcp: { en: 'TCP only', es: 'Solo TCP' },
  utp: { en: 'µTP only', es: 'Solo µTP' },
  allow: { en: 'Where the other side wants it', es: 'Donde el otro lado la quiera' },
  prefer: { en: 'Wherever possible', es: 'Siempre que se pueda' },
  require: { en: 'Always', es: 'Siempre' },
  none: { en: 'None', es: 'Ninguno' },
  own: { en: 'The same user’s', es: 'Del mismo usuario' },
  all: { en: 'Everybody’s', es: 'De todos' },
  client: { en: 'Ask only', es: 'Solo preguntar' },
  server: { en: 'Ask and answer', es: 'Preguntar y responder' },
  roots: { en: 'Roots of what is kept', es: 'Raíces de lo guardado' },
  files: { en: 'Each file and folder', es: 'Cada archivo y carpeta' },
  pinned: { en: 'Every block of what is kept', es: 'Cada bloque de lo guardado' },
  everything: { en: 'Every block', es: 'Todos los bloques' },
  off: { en: 'Never', es: 'Nunca' },
  rename: { en: 'Rename it', es: 'Renombrarlo' },
  delete: { en: 'Delete it', es: 'Borrarlo' },
  keep: { en: 'Leave it', es: 'Dejarlo' },
  pause: { en: 'Pause', es: 'Pausar' },
  remove: { en: 'Remove, keep the files', es: 'Quitar, conservar los archivos' },
  'remove-with-content': { en: 'Remove, delete the files', es: 'Quitar y borrar los archivos' },
  'super-seed': { en: 'Share sparingly (super-seeding)', es: 'Compartir con mesura (supersemilla)' },
};

/** Units of the schema. */
export const unitWords: Readonly<Record<string, { readonly en: string; readonly es: string }>> = {
  'B/s': { en: 'KiB/s', es: 'KiB/s' },
  minutes: { en: 'minutes', es: 'minutos' },
  seconds: { en: 'seconds', es: 'segundos' },
  hours: { en: 'hours', es: 'horas' },
};
