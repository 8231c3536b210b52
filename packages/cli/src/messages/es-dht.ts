import type { DhtMessages, HelpOfDht } from './en-dht.ts';

/** Lo que dicen las órdenes `dht`, en español; véase es.ts. */
export const helpOfDht: HelpOfDht = {
  summary: 'mira en la DHT, por la que los pares se hallan sin rastreadores',
  ping: 'pregunta a un nodo si está ahí',
  lookup: 'busca los pares de un torrent y dice cuántos hay',
  get: 'lee lo que alguien puso en la DHT',
  put: 'pone en la DHT un texto corto, o algo en bencode',
  sample: 'lista info-hashes que guardan los nodos',
  serve: 'sé un nodo de la DHT hasta que se interrumpa: el primero de una red propia',
  serveLimit: 'máximo de bytes por segundo para responder (por omisión, 8 kB)',
  node: 'el nodo, como EQUIPO:PUERTO',
  infoHash: 'info-hash de un torrent: 40 o 64 dígitos hexadecimales',
  target: 'dónde está guardado (40 dígitos hexadecimales) o de quién es (una clave pública de 64)',
  sampleTarget: 'se pregunta a nodos cercanos a este id (40 dígitos hexadecimales; por omisión, uno al azar)',
  value: 'el texto',
  timeout: 'desiste si en este tiempo no se alcanza ningún nodo (por omisión, 20)',
  salt: 'un texto que distingue lo que se pone con una misma clave',
  key: 'archivo con la clave secreta (64 dígitos hexadecimales); si no existe, se crea',
  sequence: 'número de esta versión (por omisión, uno más que la guardada)',
  cas: 'reemplaza solo la versión con este número',
  bencoded: 'el valor ya es bencode, no un texto',
  keyName:
    'con --mutable: cuál de tus claves (por omisión una con el nombre del torrent, que se crea si falta)',
  mutableSalt: 'con --mutable: un texto que distingue los torrents de una misma clave',
  followEvery: 'cada cuántos segundos mirar si un enlace que cambia lleva a otro lugar (por omisión, 60)',
  mutable: 'le da una clave propia, para que un mismo enlace lleve a lo que se publique con ella',
  publish: 'lo publica con su clave (véase `create --mutable`), y quien sigue su enlace lo toma',
  notes:
    'Se pregunta al nodo en marcha, si hay uno; si no, o si nombras tú los nodos, un puerto o una dirección, se inicia uno que pregunta, no responde y termina. Lo que se pone, otros lo guardan dos horas.',
  examples: [
    ['dht lookup 08ada5a7a6183aae1e09d831df6748d566095a10', 'quién tiene este torrent'],
    ['dht put "hola, mundo" --key noticias.key', 'firmado: solo tú puedes reemplazarlo'],
    ['dht get 77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548', 'lo que puso esta clave'],
    ['dht serve --port 6881', 'los demás lo nombran con --dht-bootstrap'],
    ['dht ping router.bittorrent.com:6881', '¿está abierto el camino a Internet?'],
  ],
};

export const dhtTexts: DhtMessages = {
  missingAction: 'Di qué hacer en la DHT: ping, lookup, get, put, sample o serve.',
  serving: (port) => `Un nodo de la DHT en el puerto UDP ${port}. Ctrl-C lo detiene.`,
  served: (nodes, queries) => `${nodes} nodos conocidos, ${queries} preguntas respondidas.`,
  badHex: (text, digits) => `«${text}» no tiene ${digits} dígitos hexadecimales.`,
  badNumber: (text) => `«${text}» no es un número de 0 a 9223372036854775807.`,
  badKey: (path) => `${path} no contiene una clave secreta: deben ser 64 dígitos hexadecimales.`,
  unreachable: (seconds) =>
    `Ningún nodo de la DHT respondió en ${seconds} segundos. Revisa la red y los cortafuegos, o nombra un nodo con --dht-bootstrap EQUIPO:PUERTO.`,
  noAnswer: (node) => `${node} no responde.`,
  notFound: (target) => `Nadie tiene nada en ${target}.`,
  refused: (reason) => `Ningún nodo lo aceptó: ${reason}.`,
  nobodyTook: 'Ningún nodo lo aceptó.',
  noPeers: 'No se conoce ningún par.',
  estimate: (seeds, downloaders) => `Unas ${seeds} semillas y ${downloaders} que descargan.`,
  asked: (queries, hops, seconds) =>
    `${queries} nodos preguntados, el más cercano tras ${hops} ${hops === 1 ? 'salto' : 'saltos'}, en ${seconds} s.`,
  keyMade: (path) => `Hay una clave secreta nueva en ${path}. Quien la tenga puede reemplazar lo que pones.`,
  stored: (count) => (count === 1 ? 'Un nodo lo guarda.' : `Lo guardan ${count} nodos.`),
  needed: 'Los torrents que cambian se hallan por la DHT, y este nodo no participa en ella.',
  nothingPublished: 'No se halló nada con esta clave.',
  changed: (was) => `«${was}» ha cambiado: se toma el nuevo.`,
  mutableLink: 'Su enlace sigue igual cuando cambia el contenido:',
  keyAt: (path) => `Quien tenga ${path} puede cambiar a qué lleva el enlace.`,
  published: (count) => `Publicado: ${count} nodos de la DHT saben a qué lleva el enlace.`,
  target: 'Destino',
  publicKey: 'Clave pública',
  sequence: 'Versión',
};
