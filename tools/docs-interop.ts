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

export const interopColumns = [
  'gets-from',
  'gives-to',
  'magnet-from',
  'magnet-to',
  'our-tracker',
  'its-tracker',
  'reads-ours',
  'ours-reads',
  'encrypted-from',
  'encrypted-to',
  'proxy',
  'utp-from',
  'utp-to',
  'dht-from',
  'dht-to',
  'dht-items',
  'told-by',
  'told-to',
  'lsd-from',
  'lsd-to',
  'punch',
] as const;
export type InteropColumn = (typeof interopColumns)[number];

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
    'its-tracker': 'es el tracker de Tequio',
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

/** A row a program, a column a way to work together, in each cell the variants that its tests have passed. */
export function interopTable(results: readonly InteropResults[], language: Language): string | null {
  const cells = results.flatMap((result) => result.cells);
  if (cells.length === 0) return null;
  const text = words[language];
  const programs = new Map(results.flatMap((result) => Object.entries(result.programs)));
  const columns = interopColumns.filter((column) => cells.some(({ what }) => what === column));
  const lines = [
    [text.program, ...columns.map((column) => text[column])],
    ['---', ...columns.map(() => '---')],
    ...[...programs]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([program, version]) => [
        `${program} ${version}`.trim(),
        ...columns.map((column) =>
          cells
            .filter((cell) => cell.program === program && cell.what === column)
            .map(({ variant, passed }) => (passed ? variant : `${variant} ${text.failed}`))
            .join(', '),
        ),
      ]),
  ];
  return lines.map((line) => `| ${line.join(' | ')} |\n`).join('');
}
