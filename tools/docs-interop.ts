/** What one file of the interop tests has written down: see e2e/interop/cell.ts. */
export type InteropResults = {
  /** Program to its version. */
  readonly programs: Readonly<Record<string, string>>;
  readonly cells: readonly InteropCell[];
};

export type InteropCell = {
  readonly program: string;
  readonly what: InteropColumn;
  /** What of it: `v1`, `v2`, `hybrid`, `HTTP`, `UDP`. */
  readonly variant: string;
  readonly passed: boolean;
};

/** What belongs together in one table, in the order of the tables. */
const topics = {
  files: ['gets-from', 'gives-to', 'magnet-from', 'magnet-to', 'reads-ours', 'ours-reads'],
  connections: ['encrypted-from', 'encrypted-to', 'utp-from', 'utp-to', 'punch'],
  finding: ['dht-from', 'dht-to', 'dht-items', 'told-by', 'told-to', 'lsd-from', 'lsd-to'],
  helpers: ['our-tracker', 'its-tracker', 'proxy'],
} as const;

type Topic = keyof typeof topics;
export type InteropColumn = (typeof topics)[Topic][number];

type Language = 'en' | 'es';

const words: Readonly<Record<Language, Readonly<Record<InteropColumn | 'program' | 'failed', string>>>> = {
  en: {
    program: 'program',
    'gets-from': 'Tequio downloads from it',
    'gives-to': 'it downloads from Tequio',
    'magnet-from': 'by magnet link, from it',
    'magnet-to': 'by magnet link, from Tequio',
    'our-tracker': 'uses `tequio tracker`',
    'its-tracker': 'is the tracker for Tequio',
    'reads-ours': 'reads torrents of `tequio create`',
    'ours-reads': '`tequio show` reads its torrents',
    'encrypted-from': 'encrypted (ours/its), from it',
    'encrypted-to': 'encrypted (ours/its), from Tequio',
    proxy: 'is a proxy for Tequio',
    'utp-from': 'uTP, from it',
    'utp-to': 'uTP, from Tequio',
    'dht-from': 'DHT alone, from it',
    'dht-to': 'DHT alone, from Tequio',
    'dht-items': 'items of the DHT',
    'told-by': 'tells Tequio of peers (PEX)',
    'told-to': 'is told of peers by Tequio',
    'lsd-from': 'local network alone, from it',
    'lsd-to': 'local network alone, from Tequio',
    punch: 'hole punching, as',
    failed: 'FAILED',
  },
  es: {
    program: 'programa',
    'gets-from': 'Tequio descarga de él',
    'gives-to': 'él descarga de Tequio',
    'magnet-from': 'por enlace magnet, de él',
    'magnet-to': 'por enlace magnet, de Tequio',
    'our-tracker': 'usa `tequio tracker`',
    'its-tracker': 'es el rastreador de Tequio',
    'reads-ours': 'lee torrents de `tequio create`',
    'ours-reads': '`tequio show` lee sus torrents',
    'encrypted-from': 'cifrado (nuestro/suyo), de él',
    'encrypted-to': 'cifrado (nuestro/suyo), de Tequio',
    proxy: 'es un proxy para Tequio',
    'utp-from': 'por uTP, de él',
    'utp-to': 'por uTP, de Tequio',
    'dht-from': 'solo por DHT, de él',
    'dht-to': 'solo por DHT, de Tequio',
    'dht-items': 'datos en la DHT',
    'told-by': 'habla a Tequio de pares (PEX)',
    'told-to': 'Tequio le habla de pares',
    'lsd-from': 'solo por la red local, de él',
    'lsd-to': 'solo por la red local, de Tequio',
    punch: 'perforación de NAT, como',
    failed: 'FALLA',
  },
};

const titles: Readonly<Record<Language, Readonly<Record<Topic, string>>>> = {
  en: {
    files: 'Files',
    connections: 'Connections',
    finding: 'Finding peers without a tracker',
    helpers: 'Trackers and proxies',
  },
  es: {
    files: 'Archivos',
    connections: 'Conexiones',
    finding: 'Hallar pares sin rastreador',
    helpers: 'Rastreadores y proxys',
  },
};

/** A table a topic: a row a program, a column a way to work together, in each cell the variants that passed. */
export function interopTables(results: readonly InteropResults[], language: Language): string | null {
  const tables = (Object.keys(topics) as Topic[]).flatMap((topic) => {
    const table = tableOf(topics[topic], results, language);
    return table === null ? [] : [`**${titles[language][topic]}**\n\n${table}`];
  });
  return tables.length === 0 ? null : tables.join('\n');
}

function tableOf(
  wanted: readonly InteropColumn[],
  results: readonly InteropResults[],
  language: Language,
): string | null {
  const cells = results.flatMap((result) => result.cells).filter(({ what }) => wanted.includes(what));
  if (cells.length === 0) return null;
  const text = words[language];
  const versions = new Map(results.flatMap((result) => Object.entries(result.programs)));
  const programs = [...new Set(cells.map(({ program }) => program))].sort((a, b) => a.localeCompare(b));
  const columns = wanted.filter((column) => cells.some(({ what }) => what === column));
  const cellOf = (program: string, column: InteropColumn): string =>
    cells
      .filter((cell) => cell.program === program && cell.what === column)
      .map(({ variant, passed }) => (passed ? variant : `${variant} ${text.failed}`))
      .join(', ');
  const lines = [
    [text.program, ...columns.map((column) => text[column])],
    ['---', ...columns.map(() => '---')],
    ...programs.map((program) => [
      `${program} ${versions.get(program) ?? ''}`.trim(),
      ...columns.map((column) => cellOf(program, column)),
    ]),
  ];
  return lines.map((line) => `| ${line.join(' | ')} |\n`).join('');
}
