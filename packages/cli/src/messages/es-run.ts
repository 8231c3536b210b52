import type { ConfigMessages, HelpOfConfig, HelpOfRun, RunMessages } from './en-run.ts';

/** Lo que dicen las órdenes `run` y `config`, en español; véase es.ts. */
export const helpOfRun: HelpOfRun = {
  summary: 'pone en marcha el nodo: todos los torrents, la página y la API, hasta Ctrl-C',
  http: 'dónde están la página y la API, como 127.0.0.1:27270; el puerto 0 toma uno libre (otra dirección pide contraseña)',
  noHttp: 'sin página ni API',
  config: 'el archivo de configuración (por omisión, config.toml en la carpeta de datos)',
  download: 'carpeta para el contenido que se añade sin indicar una',
  notes:
    'Todos los torrents de antes siguen como estaban. Los ajustes vienen del archivo de configuración, después del entorno (TEQUIO_BITTORRENT_PORT=6881) y después de estas opciones. La dirección que muestra deja entrar una vez; los programas usan el token de la carpeta de datos.',
  examples: [
    ['run', 'muestra la dirección de la página'],
    ['run --http 127.0.0.1:8080 --data ~/tequio', 'otro puerto, y todo en una carpeta'],
    ['run --no-http', 'sin página ni API'],
  ],
};

export const helpOfConfig: HelpOfConfig = {
  summary: 'revisa el archivo de configuración y dice dónde está',
  check: 'dice todos los errores del archivo y del entorno, y no pone nada en marcha',
  examples: [['config check', 'código de salida 0: todo está bien']],
};

export const runTexts: RunMessages = {
  page: (url) => `Abra ${url}`,
  once: 'Esta dirección deja entrar una vez; `open` muestra otra.',
  running: (count) => `El nodo sigue hasta Ctrl-C, con ${count === 1 ? '1 torrent' : `${count} torrents`}.`,
  noHttp: 'Sin página ni API.',
  stopping: 'Terminando; otra vez Ctrl-C lo corta en el acto.',
  stopped: 'El nodo ha terminado.',
  trouble: (line) => `problema: ${line}`,
};

export const configTexts: ConfigMessages = {
  good: (path) => `${path} está bien.`,
  none: (path) => `No hay ${path}: todo queda como viene.`,
  problem: (key, message) => `${key}: ${message}`,
  bad: (count) => (count === 1 ? '1 error.' : `${count} errores.`),
};
