/**
 * What the node says in English, in Spanish, by code. Names, paths and numbers are taken from the English sentence:
 * what stands in straight quotes, and the figures in their order. A code that is not here keeps its English sentence.
 */
type Parts = {
  /** The first thing in quotes, with « »; empty when there is none. */
  readonly name: string;
  readonly numbers: readonly string[];
  /** What follows the first colon and blank, without the full stop: the system's own words. */
  readonly reason: string;
};

/** The system's words about sockets (runtime's tcp-errors.ts). */
const reasons: Readonly<Record<string, string>> = {
  'connection refused': 'conexión rechazada',
  'reset by the other side': 'la otra parte la cortó',
  'closed by the other side': 'la otra parte la cerró',
  'timed out': 'se agotó el tiempo',
  'no route to the host': 'no hay ruta hasta el equipo',
  'the host is down': 'el equipo está apagado',
  'network unreachable': 'la red no está al alcance',
  'this machine does not have that address': 'esta máquina no tiene esa dirección',
  'another program uses it': 'lo usa otro programa',
  'the port is in use': 'el puerto está en uso',
  'this kind of address is not supported here': 'aquí no se admite esa clase de dirección',
  'not permitted': 'no está permitido',
  'ports below 1024 need a permission that this user does not have':
    'los puertos por debajo de 1024 necesitan un permiso que este usuario no tiene',
  'too many open files': 'hay demasiados archivos abiertos',
};

type Sentence = string | ((parts: Parts) => string);

const put =
  'Ponlo de nuevo y el torrent sigue por sí solo, o vuelve a comprobar el torrent para descargarlo otra vez.';

const sentences: Readonly<Record<string, Sentence>> = {
  BITTORRENT_DISK_FULL: ({ name }) =>
    `No queda espacio para ${name}. Libera algo de espacio: el torrent sigue entonces por sí solo.`,
  BITTORRENT_DISK_DENIED: ({ name }) =>
    `El sistema no permite el acceso a ${name}. Permítelo o mueve el torrent: sigue entonces por sí solo.`,
  BITTORRENT_FILE_MISSING: ({ name }) => `${name} falta o es más corto de lo que debería. ${put}`,
  BITTORRENT_NOT_A_FILE: ({ name }) =>
    `Donde debería estar ${name} hay un enlace simbólico o una carpeta, o su carpeta no lo es. Quítalo y el torrent sigue por sí solo.`,
  BITTORRENT_DISK_ERROR: ({ name }) => `${name} no se puede usar. Se intenta de nuevo hasta que se pueda.`,
  BITTORRENT_OPEN: 'Los archivos del torrent no se pudieron abrir.',
  BITTORRENT_LINE_DOWN:
    'La dirección o interfaz por la que pasa todo no está: no se envía nada hasta que vuelva.',
  BITTORRENT_HYBRID_MISMATCH:
    'El torrent se contradice: sus mitades de versión 1 y 2 no describen el mismo contenido. Nadie puede completarlo.',

  BITTORRENT_BAD_PIECE: ({ numbers }) => `El par envió él solo la pieza ${numbers[0]}, y su hash era falso.`,
  BITTORRENT_BAD_BLOCK: ({ numbers }) =>
    `El par envió bytes falsos en el bloque ${numbers[0]} de la pieza ${numbers[1]}.`,
  BITTORRENT_TWO_FACED_BLOCK: ({ numbers }) =>
    `El par envió dos veces el bloque ${numbers[0]} de la pieza ${numbers[1]}, con bytes distintos.`,
  BITTORRENT_HASHES_FALSE: 'El par envió hashes que no llevan a la raíz de su archivo.',
  BITTORRENT_HASHES_UNASKED: 'El par envió hashes que nadie le había pedido.',
  BITTORRENT_METADATA_FALSE: 'El par envió una descripción falsa del torrent.',
  BITTORRENT_METADATA_UNASKED: 'El par envió partes de la descripción que nadie le había pedido.',
  BITTORRENT_METADATA_SIZE: 'El par dijo un tamaño imposible de la descripción del torrent.',
  BITTORRENT_METADATA_PIECE: 'El par envió una parte de la descripción de un tamaño que no puede ser.',
  BITTORRENT_WIRE_UNASKED: ({ numbers }) => `El par envió ${numbers[0]} bytes que nadie había pedido.`,
  BITTORRENT_WIRE_LENGTH: 'El par envió un mensaje de una longitud que no puede tener.',
  BITTORRENT_WIRE_TOO_LONG: 'El par anunció un mensaje demasiado largo.',
  BITTORRENT_WIRE_BLOCK_LENGTH: 'El par envió un bloque de un tamaño que no puede ser.',
  BITTORRENT_WIRE_REQUEST: 'El par pidió algo que no existe.',
  BITTORRENT_WIRE_HANDSHAKE: 'El par no habla BitTorrent, o no tiene este torrent.',
  BITTORRENT_PEX_RATE: 'El par habló de otros pares con demasiada frecuencia.',

  BITTORRENT_TRACKER_UNREACHABLE: ({ reason }) => `No se alcanza el rastreador: ${reason}.`,
  BITTORRENT_TRACKER_FAMILY: ({ numbers }) => `No se alcanza el rastreador por IPv${numbers[0]}.`,
  BITTORRENT_TRACKER_STATUS: ({ numbers }) => `El rastreador respondió con el estado HTTP ${numbers[0]}.`,
  BITTORRENT_TRACKER_REFUSED: ({ reason }) => `El rastreador dice: ${reason}`,
  BITTORRENT_TRACKER_ANSWER: 'La respuesta del rastreador no se puede leer.',
  BITTORRENT_TRACKER_SILENT: 'El rastreador no responde.',
  BITTORRENT_URL_REFUSED: 'La dirección no es una a la que se pueda preguntar sin riesgo.',
  BITTORRENT_URL_LOCAL: 'La dirección lleva a la red local, y un torrent no debe enviarnos ahí.',

  BITTORRENT_MAGNET_SYNTAX: 'Esto no es ni un enlace magnet ni un info-hash.',
  BITTORRENT_MAGNET_HASH: 'El enlace magnet no lleva ningún info-hash de BitTorrent.',
  BITTORRENT_MAGNET_LENGTH: 'El enlace magnet es demasiado largo.',
  BITTORRENT_METAINFO_INFO: 'El torrent no tiene diccionario «info».',
  BITTORRENT_METAINFO_DICTIONARY: 'El archivo torrent no es un diccionario.',
  BITTORRENT_METAINFO_PIECE_LENGTH: 'El torrent no dice un tamaño de pieza válido.',
  BITTORRENT_METAINFO_PIECE_SIZE: 'El torrent dice un tamaño de pieza que no puede ser.',
  BITTORRENT_METAINFO_PIECES: 'El torrent no tiene un hash por cada pieza.',
  BITTORRENT_METAINFO_PIECE_COUNT: ({ numbers }) => `El torrent tiene más de ${numbers[0]} piezas.`,
  BITTORRENT_METAINFO_NAME: 'El torrent no tiene un nombre que se pueda usar.',
  BITTORRENT_METAINFO_VERSION: 'El torrent es de una versión que no se conoce, o se contradice sobre ella.',
  BITTORRENT_METAINFO_EMPTY: 'El torrent no tiene contenido.',
  BITTORRENT_METAINFO_TREE: 'El árbol de archivos del torrent está dañado.',
  BITTORRENT_METAINFO_PATH: 'Un archivo del torrent no tiene una ruta válida.',
  BITTORRENT_METAINFO_LENGTH: 'Un archivo del torrent no tiene una longitud válida.',
  BITTORRENT_METAINFO_ROOT: 'Un archivo del torrent no tiene un hash raíz válido.',
  BITTORRENT_METAINFO_PAD: 'Un torrent de versión 2 no debe nombrar archivos de relleno.',
  BITTORRENT_METAINFO_HYBRID: 'Las mitades de versión 1 y 2 del torrent no describen los mismos archivos.',
  BITTORRENT_METAINFO_LAYER: 'Los hashes de piezas que acompañan al torrent están dañados.',
  BITTORRENT_CREATE_EMPTY: 'Ahí no hay nada de lo que hacer un torrent.',
  BITTORRENT_CREATE_PATH: ({ name }) => `${name} no es ni un archivo ni una carpeta con nombre.`,
  BITTORRENT_CREATE_CHANGED: 'El contenido cambió mientras se leía: inténtalo de nuevo.',
  BITTORRENT_CREATE_NAME: 'Un nombre de archivo no puede estar en un torrent.',
  BITTORRENT_RESUME_NEWER: 'La base de datos la escribió una versión más nueva del programa.',

  DHT_OFF: 'Este nodo no participa en la DHT: activa `bittorrent.dht`.',
  DHT_BUSY: 'El nodo ya pregunta mucho a la DHT; inténtalo de nuevo en un momento.',
  DHT_UNREACHABLE: 'Todavía no ha respondido ningún nodo de la DHT.',

  FILE_MISSING: ({ name }) => `${name} no existe.`,
  FILE_READ: ({ name }) => `${name} no se puede leer.`,
  FILE_WRITE: ({ name }) => `${name} no se puede escribir.`,
  FILE_TOO_LONG: ({ name, numbers }) => `${name} es más largo que los ${numbers.at(-1)} bytes permitidos.`,
  DISK_EXISTS: ({ name }) => `${name} ya existe y se conserva.`,
  DATABASE_OPEN: ({ name }) => `La base de datos ${name} no se puede abrir.`,
  SOURCE_MISSING: 'El servidor dice que en esa dirección no hay nada.',
  SOURCE_UNREACHABLE: 'La dirección no se pudo descargar.',
  SOURCE_TOO_LONG: 'Lo que hay en esa dirección es demasiado largo para un archivo torrent.',
  FILTER_UNREADABLE: 'El filtro de direcciones no se puede leer: no tiene ningún rango de direcciones.',
  FILTER_TOO_LONG: 'El filtro de direcciones es demasiado largo.',
  NET_LISTEN: ({ numbers, reason }) => `No se puede escuchar en el puerto ${numbers[0] ?? ''}: ${reason}.`,
  NET_RESOLVE: 'No se encuentra la dirección de ese nombre.',
};

/** A sentence of the node in Spanish; its own when the code is not known here, or it is in Spanish already. */
export function sentenceInSpanish(code: string, text: string): string {
  const sentence = isOurs(text) ? undefined : sentences[code];
  if (sentence === undefined) return text;
  if (typeof sentence === 'string') return sentence;
  const name = /"([^"]+)"/.exec(text)?.[1];
  const reason = /: (.*?)\.?$/.exec(text)?.[1] ?? '';
  return sentence({
    name: name === undefined ? 'Un archivo' : `«${name}»`,
    numbers: text.replace(/"[^"]*"/g, '').match(/\d+/g) ?? [],
    reason: reasons[reason] ?? reason,
  });
}

/** What the command line itself says has typographic quotes or accents, which the node's English never has. */
function isOurs(text: string): boolean {
  return /[«»áéíóúñ¿¡]/i.test(text.replace(/"[^"]*"/g, ''));
}
