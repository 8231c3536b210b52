import type { Messages } from './en.ts';
import { bansTexts, helpOfBans } from './es-bans.ts';
import { bridgeTexts, helpOfBridge } from './es-bridge.ts';
import { sentenceInSpanish } from './es-codes.ts';
import { daemonTexts, helpOfDaemon } from './es-daemon.ts';
import { dhtTexts, helpOfDht } from './es-dht.ts';
import { helpOfIpfs, ipfsTexts } from './es-ipfs.ts';
import { configTexts, helpOfConfig, helpOfRun, runTexts } from './es-run.ts';
import { helpOfSetup, setupTexts } from './es-setup.ts';
import { helpOfStatus, statusTexts } from './es-status.ts';

/** Todo lo que dice la línea de órdenes, en español. */
export const es: Messages = {
  help: {
    usage: 'Uso:',
    arguments: 'Argumentos:',
    options: 'Opciones:',
    globalOptions: 'Opciones generales:',
    commands: 'Órdenes:',
    examples: 'Ejemplos:',
    default: 'por omisión',
    program:
      'Tequio hace de esta computadora un miembro más, en pie de igualdad, de las redes entre pares. Hoy habla BitTorrent e IPFS, junto con los programas de todos los demás: descarga, comparte, crea, verifica y anuncia torrents, y guarda y ofrece contenidos por lo que son.',
    help: 'muestra esta ayuda',
    version: 'muestra la versión',
    data: 'carpeta para el estado del programa, nunca para el contenido (por omisión, la habitual del sistema)',
    json: 'escribe JSON, un objeto por línea, en la salida estándar, y ahí nada más',
    quiet: 'no dice nada más que resultados y errores',
    sizes:
      'Tamaños y velocidades: K, M y G son potencias de 1024 (500K, 1.5MiB); kB, MB y GB, potencias de 1000.',
    exitCodes:
      'Códigos de salida: 0 hecho · 2 mal uso · 65 datos dañados · 66 falta la entrada · 69 ningún par ni rastreador al alcance · 70 fallo nuestro · 74 error de archivo · 130 interrumpido, con todo el estado guardado.',
    more: (program) => `\`${program} ORDEN --help\` explica una orden, con ejemplos.`,
    get: {
      summary: 'descarga torrents',
      source: 'archivo o dirección http(s) de un .torrent, un enlace magnet o un info-hash',
      to: 'carpeta para el contenido (por omisión, la actual)',
      seed: 'cuando todo esté aquí, sigue compartiendo hasta que se interrumpa',
      peer: 'un par al que preguntar de inmediato; puede repetirse',
      port: 'puerto TCP al que otros pares pueden llamar; 0 toma cualquiera que esté libre',
      bind: 'dirección o interfaz de red de esta máquina por la que pasa todo; mientras no esté, no se envía nada',
      addressFilter:
        'lista de direcciones con las que no se trata: líneas de eMule (DAT), PeerGuardian (P2P) o CIDR, también comprimida con gzip',
      select: 'solo los archivos que cumplan este patrón, como «*.iso» o «docs/**»; puede repetirse',
      sequential: 'de la primera pieza a la última, en vez de las más escasas primero',
      limitDown: 'máximo de bytes por segundo que se reciben',
      limitUp: 'máximo de bytes por segundo que se envían',
      category: 'un nombre tuyo para estos torrents, por el que se distinguen de otros',
      schedule:
        'otros límites a ciertas horas, como «mon-fri 8:00-18:00 down=500K up=100K» (días en inglés); puede repetirse, vale la primera que cuadre',
      proxy:
        'todas las conexiones pasan por este proxy (socks5://usuario:clave@host:puerto o http://host:puerto), también los nombres por resolver; sin --port nadie puede llamarnos',
      proxyFor: 'para qué sirve el proxy: all (todo), peers o trackers (por omisión, all)',
      encryption:
        'de las conexiones con pares: allow (en claro; cifrada con quien no responde así), prefer (cifrada; en claro con quien no puede), require (solo cifradas) u off (ninguna); por omisión, allow',
      noPortMapping: 'no pide al router (por PCP, NAT-PMP, UPnP) que deje pasar el puerto',
      noDht: 'no participa en la DHT, por la que se hallan pares sin rastreadores',
      noPex: 'no deja que los pares hablen unos de otros (intercambio de pares)',
      noLsd: 'no busca pares en la red local ni se deja hallar en ella',
      dhtBootstrap:
        'equipo al que se piden primero nodos de la DHT, en vez de los habituales; puede darse varias veces',
      transport:
        'cómo se conecta con los pares: tcp, utp (cede el paso al resto del tráfico) o both, ambos; por omisión, both',
      timeout: 'desiste si en este tiempo no se alcanza ningún par ni rastreador',
      notes:
        'Si se interrumpe con Ctrl-C y se inicia de nuevo, continúa donde quedó. Ctrl-C dos veces lo detiene de golpe.',
      examples: [
        ['get debian.torrent', 'un archivo torrent, en la carpeta actual'],
        ['get "magnet:?xt=urn:btih:..." --to ~/Descargas --seed', 'un enlace magnet, y después compartirlo'],
        [
          'get grande.torrent --select "*.pdf" --limit-down 2M',
          'algunos archivos, a 2 MiB por segundo como máximo',
        ],
      ],
    },
    seed: {
      summary: 'comparte archivos, o torrents cuyo contenido ya está aquí',
      path: 'un archivo o carpeta que compartir, o un .torrent cuyo contenido está aquí',
      from: 'carpeta donde está el contenido de los .torrent (por omisión, la actual)',
      tracker: 'rastreador para un torrent nuevo, o uno más para uno que ya existe; varios, como en `create`',
      version:
        'Un archivo o carpeta que aún no tiene torrent recibe uno híbrido: su mitad v1 sirve a todos los programas que existen; su mitad v2 permite a los más nuevos comprobar cada bloque y reconocer archivos iguales. El mismo contenido da siempre el mismo torrent y el mismo enlace. El .torrent se guarda en la carpeta de datos.',
      examples: [
        ['seed fotos --tracker udp://tracker.example:6969', 'una carpeta: muestra el enlace para repartir'],
        ['seed debian.torrent --from ~/Descargas', 'verifica lo que hay y luego lo comparte'],
      ],
    },
    create: {
      summary: 'hace un .torrent de un archivo o carpeta',
      path: 'archivo o carpeta',
      output: 'el .torrent que se escribe',
      v1: 'solo la versión 1 (BEP 3)',
      v2: 'solo la versión 2 (BEP 52), que los programas más viejos no leen',
      hybrid: 'las dos en una, para todos los programas (por omisión)',
      pieceSize: 'una potencia de dos desde 16K (por omisión, según el tamaño)',
      tracker:
        'dirección de anuncio; cada una forma un nivel propio, que se prueba después de los anteriores; los rastreadores de un mismo nivel van separados por comas',
      webSeed: 'dirección http(s) del mismo contenido; puede repetirse',
      private: 'pares solo de los rastreadores: sin DHT ni intercambio de pares',
      source: 'un texto que distingue este info-hash de los de otros (lo usan los rastreadores privados)',
      similar: 'info-hash de un torrent que tiene archivos en común con este (se puede repetir)',
      collection: 'una colección cuyos torrents tienen archivos en común (se puede repetir)',
      comment: 'un texto para las personas',
      notes: 'No se escribe la fecha, para que la misma entrada dé el mismo archivo.',
      examples: [
        ['create disco -o disco.torrent --tracker udp://tracker.example:6969', 'un rastreador'],
        [
          'create disco.iso -o disco.torrent --tracker http://a/announce,http://b/announce --tracker udp://c:6969',
          'dos niveles: a y b juntos, luego c',
        ],
        ['create disco.iso -o disco.torrent --web-seed https://example.org/disco.iso', 'con una semilla web'],
      ],
    },
    show: {
      summary: 'dice qué hay en un torrent, sin descargarlo',
      source: 'archivo o dirección http(s) de un .torrent, un enlace magnet o un info-hash',
      notes:
        'Los nombres de archivo que podrían hacer daño se muestran como se escribirían, con una línea sobre lo que cambió.',
      examples: [
        ['show debian.torrent', 'nombre, hashes, rastreadores y archivos'],
        ['show debian.torrent --json | jq .infoHashV1', 'un valor para un script'],
      ],
    },
    verify: {
      summary: 'comprueba el contenido contra su torrent, archivo por archivo',
      torrent: 'archivo o dirección http(s) de un .torrent',
      path: 'el contenido: el archivo o carpeta que nombra el torrent, o la carpeta donde está',
      notes: 'Lo lee todo y no cambia nada. Código de salida 65 si algo falta o está mal.',
      examples: [['verify debian.torrent ~/Descargas/debian.iso', 'todas las piezas, en todos los núcleos']],
    },
    tracker: {
      summary: 'pone en marcha un rastreador, por HTTP y UDP',
      http: 'puerto para HTTP (por omisión 6969, si no se da ninguno de los dos)',
      udp: 'puerto para UDP (por omisión 6969, si no se da ninguno de los dos)',
      bind: 'dirección en la que escuchar (por omisión, todas)',
      allow: 'atiende solo los info-hashes de este archivo, uno por línea, # para notas',
      examples: [
        ['tracker', 'HTTP y UDP en el puerto 6969'],
        ['tracker --http 8080 --allow hashes.txt', 'solo HTTP, para los torrents de una lista'],
      ],
    },
    dht: helpOfDht,
    status: helpOfStatus,
    bans: helpOfBans,
    ipfs: helpOfIpfs,
    bridge: helpOfBridge,
    ...helpOfDaemon,
    ...helpOfSetup,
    run: helpOfRun,
    config: helpOfConfig,
    nat: {
      summary: 'mira el router: si otros llegan a este equipo, y le pide que los deje pasar',
      notes:
        'Se pregunta a los routers por PCP, NAT-PMP y UPnP, todo a la vez. `get` y `seed` lo hacen por sí mismos; estas órdenes muestran el resultado.',
      status: 'qué router hay, qué habla y qué se puede hacer',
      map: 'deja pasar un puerto TCP y UDP, hasta que se interrumpa',
      unmap: 'retira lo que dejó `nat map --leave`',
      port: 'puerto de este equipo',
      leave: 'termina enseguida; el router guarda la asignación durante una hora',
      examples: [
        ['nat status', 'el router, sus protocolos, su dirección en Internet'],
        ['nat map 27272', 'TCP y UDP, se retira al terminar'],
        ['nat unmap 27272', 'se retira lo que había quedado'],
      ],
    },
    demo: {
      summary: 'verlo funcionar, sin Internet: un rastreador, una semilla, tres que descargan',
      notes:
        'Reparte los archivos de este mismo programa entre procesos de esta computadora, por sockets de verdad, y muestra quién tiene qué piezas. Tarda unos diez segundos y no deja nada atrás.',
      examples: [['demo', 'para mirar']],
    },
  },

  usage: {
    hint: (program) => `\`${program} --help\` muestra cómo.`,
    noCommand: (program) => `Di qué hacer: \`${program} --help\` enumera las órdenes.`,
    unknownCommand: (name) => `No existe la orden «${name}».`,
    didYouMean: (name) => `¿Querías decir «${name}»?`,
    looksLikeSource: (program, source) => `Para descargarlo: \`${program} get ${source}\`.`,
    unknownOption: (name) => `Aquí no existe la opción «${name}».`,
    missingArgument: (name) => `Falta «${name}».`,
    missingOption: (name) => `Hace falta la opción «${name}».`,
    missingOptionValue: (name) => `La opción «${name}» necesita un valor.`,
    tooManyArguments: 'Hay más argumentos de los que esta orden admite.',
    conflict: (one, other) => `«${one}» y «${other}» no pueden ir juntas.`,
    badPort: (text) => `«${text}» no es un puerto: debe ser un número de 0 a 65535.`,
    badPeer: (text) =>
      `«${text}» no es un par: debe ser HOST:PUERTO, como 192.0.2.7:6881 o [2001:db8::7]:6881.`,
    badRate: (text) =>
      `«${text}» no es una velocidad: escribe, por ejemplo, 500K o 1.5M (bytes por segundo).`,
    badSalt: 'Una sal tiene como mucho 64 bytes.',
    badLimitRule: (text) =>
      `«${text}» no es una regla: escribe días, horas y límites, por ejemplo «mon-fri 8:00-18:00 down=500K up=100K».`,
    badSeconds: (text) => `«${text}» no es un tiempo: escribe segundos, por ejemplo 30.`,
    badPieceSize: (text) =>
      `«${text}» no es un tamaño de pieza: debe ser una potencia de dos de 16K a 1G, por ejemplo 256K.`,
    badTracker: (text) =>
      `«${text}» no es un rastreador: su dirección debe empezar con http://, https:// o udp://.`,
    badInfoHash: (text) =>
      `«${text}» no es un info-hash: debe tener 40 o 64 dígitos hexadecimales. \`show\` dice los de un torrent.`,
    badWebSeed: (text) =>
      `«${text}» no es una semilla web: su dirección debe empezar con http:// o https://.`,
    badProxy:
      'La dirección de un proxy empieza con socks5:// o http://, como socks5://usuario:clave@host:1080.',
    badProxyPurpose: (text) => `«${text}» no es un uso de un proxy: all, peers o trackers.`,
    badEncryption: (text) => `«${text}» no es un modo de cifrado: allow, prefer, require u off.`,
    badTransport: (text) => `«${text}» no es un tipo de conexión: tcp, utp o both.`,
    badAddress: (text) => `«${text}» no es una dirección IP de esta máquina.`,
    noMagnetHere: 'Un enlace magnet no lleva los hashes de las piezas: hace falta el .torrent mismo.',
  },

  errors: {
    line: (program, sentence) => `${program}: ${sentence}`,
    bug: (text) => `Esto es un fallo de Tequio, no tuyo: ${text}`,
    missing: (path) => `No hay nada en ${path}.`,
    notFolder: (path) => `${path} no es una carpeta, así que no se puede poner nada ahí.`,
    notFileOrFolder: (path) => `${path} no es ni un archivo ni una carpeta.`,
    allowLine: (path, line) =>
      `La línea ${line} de ${path} no es un info-hash: debe tener 40 o 64 dígitos hexadecimales.`,
    nothingSelected: (name) =>
      `Ningún archivo de «${name}» cumple --select, así que no hay nada que descargar.`,
    unreachable: (seconds) =>
      `En ${seconds} segundos no se alcanzó ningún par ni rastreador. Revisa la red y el cortafuegos, nombra un par con --peer HOST:PUERTO o prueba un torrent con otros rastreadores. Lo descargado se conserva.`,
  },

  ofCode: sentenceInSpanish,

  addressFilter: (ranges, badLines, firstLine) =>
    badLines === 0
      ? `Filtro de direcciones: ${ranges} rangos.`
      : `Filtro de direcciones: ${ranges} rangos. Líneas que no se pudieron leer: ${badLines}; la primera es la ${firstLine}.`,

  progress: {
    metadata: 'pidiendo a los pares la descripción del torrent',
    checking: (percent) => `comprobando lo que hay: ${percent} %`,
    paused: 'en pausa',
    seeding: 'completo, compartiendo',
    peers: (count) => (count === 1 ? '1 par' : `${count} pares`),
    pieces: (have, count) => `${have}/${count} piezas`,
    left: (time) => `faltan ${time}`,
    of: (done, total) => `${done} de ${total}`,
    sent: (bytes) => `enviados ${bytes}`,
    down: (rate) => `↓ ${rate}`,
    up: (rate) => `↑ ${rate}`,
    noPeers: 'aún sin pares',
    trackerState: (url, state) => `rastreador ${url}: ${state}`,
    trackerAsking: 'preguntando',
    more: (count) => `… y ${count} más`,
    plain: (name, rest) => `${name}: ${rest}`,
  },

  events: {
    failed: (name, message) => `${name}: ${message} Continúa por sí solo cuando la causa desaparezca.`,
    recovered: (name) => `${name}: la causa desapareció, continúa.`,
    banned: (endpoint, message) => `El par ${endpoint} quedó vetado: ${message}`,
    moreBans: 'Hubo más pares vetados; --json los nombra a todos.',
    metadata: (name) => `Llegó la descripción: ${name}`,
  },

  get: {
    finished: (name, size, time, rate, folder) => `${name}: ${size} en ${time} (${rate}), en ${folder}`,
    already: (name, size, folder) => `${name}: los ${size} ya estaban en ${folder}`,
    sharing: 'Todo está aquí. Compartiendo hasta Ctrl-C.',
    interrupted: (command) => `Detenido; las piezas recibidas se conservan. Para continuar: ${command}`,
    stopping: 'Deteniendo … (otro Ctrl-C detiene de golpe)',
  },

  seed: {
    hashing: (name) => `haciendo un torrent de ${name}`,
    checking: (name) => `${name}: comprobando`,
    line: (label, text) => `${label.padEnd(9)}${text}`,
    name: 'Nombre',
    link: 'Enlace',
    torrent: 'Torrent',
    notHere: (name, folder) =>
      `«${name}» no está en ${folder}. Di con --from en qué carpeta está su contenido.`,
    incomplete: (name, good, count) =>
      `De «${name}» solo ${good} de ${count} piezas son como dice el torrent. \`verify\` dice en qué archivos; \`get\` con --to los repara.`,
    noTracker: (port) =>
      `No nombra ningún rastreador, así que hay que decir a los demás a quién preguntar: \`--peer ESTA-COMPUTADORA:${port}\`.`,
    sharing: (port) => `Compartiendo en el puerto ${port} hasta Ctrl-C.`,
    stopped: 'Se dejó de compartir.',
  },

  create: {
    hashing: (name) => `calculando los hashes de ${name}`,
    written: (file) => `Escrito: ${file}`,
  },

  show: {
    name: 'Nombre',
    hashV1: 'Hash v1',
    hashV2: 'Hash v2',
    size: 'Tamaño',
    pieces: 'Piezas',
    private: 'Privado',
    yes: 'sí: pares solo de sus rastreadores',
    trackers: 'Rastreadores',
    webSeeds: 'Semillas web',
    comment: 'Comentario',
    createdBy: 'Hecho con',
    createdAt: 'Hecho el',
    source: 'Origen',
    similar: 'Similar a',
    collections: 'Colecciones',
    link: 'Enlace',
    files: (count) => (count === 1 ? '1 archivo' : `${count} archivos`),
    piecesOf: (count, size) => `${count} de ${size}`,
    bytes: (size, bytes) => `${size} (${bytes} bytes)`,
    onlyFromPeers: 'Los archivos y tamaños solo los saben los pares: `get` se los pregunta.',
    nameChanges: 'Nombres corregidos',
    nameChange: (was, is, reason) => `«${was}» se escribe como «${is}»: ${reason}`,
  },

  verify: {
    checking: (name) => `verificando ${name}`,
    states: {
      good: 'bien',
      missing: 'falta',
      short: 'muy corto',
      long: 'muy largo',
      wrong: 'mal',
      'not-a-file': 'no es archivo',
      unreadable: 'ilegible',
    },
    file: (state, path, detail) => `  ${state.padEnd(16)}${path}${detail}`,
    badPieces: (count) => (count === 1 ? ' (1 pieza mala)' : ` (${count} piezas malas)`),
    allGood: (files, pieces) =>
      `Todo bien: ${pieces} ${pieces === 1 ? 'pieza' : 'piezas'} en ${files} ${files === 1 ? 'archivo' : 'archivos'}.`,
    notGood: (good, count) => `No está bien: ${good} de ${count} piezas son como deben ser.`,
  },

  tracker: {
    http: (url) => `HTTP  ${url}`,
    udp: (url) => `UDP   ${url}`,
    running: 'El rastreador funciona hasta Ctrl-C.',
    otherMachines: 'Desde otras máquinas, pon la dirección de esta computadora en lugar de 127.0.0.1.',
    allowed: (count) => (count === 1 ? 'Atiende 1 info-hash.' : `Atiende ${count} info-hashes.`),
    stats: (torrents, seeds, leeches, announces, refused) =>
      `${torrents} torrents, ${seeds} semillas, ${leeches} descargando; ${announces} anuncios, ${refused} rechazados`,
    stopped: 'El rastreador se detuvo.',
  },

  dht: dhtTexts,

  status: statusTexts,

  bans: bansTexts,
  ipfs: ipfsTexts,
  bridge: bridgeTexts,
  daemon: daemonTexts,

  setup: setupTexts,
  run: runTexts,
  config: configTexts,

  nat: {
    asking: 'preguntando al router …',
    way: (family, local, gateway, guess) => `IPv${family}: ${local}, router: ${gateway}${guess}`,
    unknown: 'desconocido',
    guess: ' (una suposición: el sistema no lo dice)',
    states: {
      asked: 'aún sin respuesta',
      silent: 'sin respuesta',
      useless: 'no sirve',
      offline: 'el propio router no tiene dirección pública',
    },
    external: (address) => `  dirección en Internet, según el router: ${address}`,
    mapped: (what, where) => `  a ${what} se llega por ${where}`,
    refused: (what, reason) => `  ${what} no pasa: ${reason}`,
    noRouter:
      'No se halló ningún router: o este equipo está en Internet directamente, o no tiene salida. No hay a quién preguntar.',
    doubleNat:
      'Doble NAT: la dirección del propio router no es de Internet; hay otro router delante, quizá el del proveedor (o está sin conexión). Lo que deja pasar no llega a Internet. Pida al proveedor una dirección propia, use IPv6 o haga que el primer router pase el puerto.',
    switchOn:
      'El router no habla ninguno de estos protocolos, o están apagados. Active uno en su configuración, o abra el puerto allí a mano.',
    switchOn6:
      'Por IPv6 no se puede pedir al router que abra su cortafuegos. Si tiene uno, abra el puerto en su configuración.',
    allRefused: (family) => `Por IPv${family} el router no deja pasar nada: arriba está el motivo.`,
    canMap: (family) => `Por IPv${family} se pueden pedir puertos al router.`,
    good: (family) =>
      `Por IPv${family} el router dice que deja pasar a otros. Si es así, solo ellos lo pueden mostrar.`,
    letsIn: (where) => `El router deja pasar a otros: llegan a este nodo por ${where}.`,
    holding: 'Se mantiene hasta Ctrl-C.',
    left: 'El router lo guarda como mucho una hora.',
    removed: 'Retirado.',
  },

  demo: {
    preparing: 'haciendo un torrent con los archivos de este mismo programa',
    intro: (files, size, pieces) =>
      `${files} archivos del propio Tequio, ${size} en ${pieces} piezas: un proceso los comparte, tres los descargan y un rastreador les dice dónde están los demás.`,
    slowed: (rate) => `La semilla va limitada a ${rate}, para que los tres tengan que ayudarse.`,
    seed: 'semilla',
    peer: (index) => `par ${index}`,
    row: (percent, seed, others) => `${percent}  semilla ~${seed}, otros ~${others}`,
    seedRow: (sent) => `envió ${sent}`,
    waiting: 'esperando a la semilla …',
    verifying: 'verificando cada byte …',
    verified: (copies, files) => `${copies} copias de ${files} archivos: cada byte verificado.`,
    summary: (seed, others, percent, time) =>
      `En ${time} la semilla envió ${seed} y los tres se enviaron entre sí ${others}: el ${percent} % de lo descargado vino de pares que también estaban descargando.`,
    wrong: (name, good, count) => `${name} terminó con ${good} de ${count} piezas buenas.`,
    childEnded: (name, code, message) =>
      `${name} terminó antes de tiempo (código de salida ${code}). ${message}`,
    stuck:
      'Nada se movió en 20 segundos: los procesos no se alcanzan en 127.0.0.1, o los archivos del programa cambiaron mientras tanto.',
    next: 'Para seguir:',
    nextLines: [
      ['get FUENTE', 'descargar un archivo torrent, una dirección web o un enlace magnet'],
      ['seed CARPETA --tracker URL', 'compartir una carpeta tuya'],
      ['--help', 'todo lo demás'],
    ],
  },
};
