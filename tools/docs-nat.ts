/** What the NAT laboratory has written down: see e2e/nat. */
export type NatPairs = {
  readonly kinds: readonly string[];
  readonly pairs: readonly {
    readonly kinds: readonly [string, string];
    readonly means: 'direct' | 'mapped' | 'punched' | null;
    readonly transport: 'tcp' | 'utp' | null;
    readonly seconds: number | null;
  }[];
};

export type NatMappers = {
  readonly miniupnpd: string;
  readonly mappers: readonly {
    readonly mapper: string;
    readonly ipv6: boolean;
    readonly mappedSeconds: number;
    readonly reachedSeconds: number;
    readonly restartSeconds: number;
    readonly removedSeconds: number;
  }[];
};

/** Coarse, so that the page does not change with every run. */
const secondClasses = [1, 5, 20, 60];

/** A row and a column a kind; IPv4 and IPv6 do not meet, and have tables of their own. */
export function natPairsTable({ kinds, pairs }: NatPairs): string {
  const groups = [kinds.filter((kind) => !isIpv6(kind)), kinds.filter(isIpv6)];
  return groups
    .filter((group) => group.length > 0)
    .map((group) => {
      const cell = (row: string, column: string): string => {
        const pair = pairs.find(
          ({ kinds: [a, b] }) => (a === row && b === column) || (a === column && b === row),
        );
        if (pair === undefined) return '';
        if (pair.means === null) return 'no';
        return `${pair.means}, ${pair.transport === 'utp' ? 'uTP' : 'TCP'}, ${inClass(pair.seconds ?? 0)}`;
      };
      const shown = group.map((kind) => kind.replace('IPv6 ', ''));
      return table([
        [isIpv6(group[0]!) ? 'IPv6' : 'IPv4', ...shown],
        ['---', ...group.map(() => '---')],
        ...group.map((row, i) => [
          shown[i]!,
          // Each pair once: the other half is the same.
          ...group.map((column, j) => (j < i ? '' : cell(row, column))),
        ]),
      ]);
    })
    .join('\n');
}

export function natMappersTable({ mappers }: NatMappers): string {
  return table([
    [
      'the router speaks',
      'IPv4',
      'IPv6 pinhole',
      'mapped after',
      'back after a restart',
      'removed on stop after',
    ],
    ['---', '---', '---', '---', '---', '---'],
    ...mappers.map((one) => [
      mapperNames[one.mapper] ?? one.mapper,
      'yes',
      one.ipv6 ? 'yes' : 'it has none',
      inClass(one.mappedSeconds),
      inClass(one.restartSeconds),
      inClass(one.removedSeconds),
    ]),
  ]);
}

const mapperNames: Readonly<Record<string, string>> = {
  'igd-1': 'UPnP IGD 1',
  'igd-2': 'UPnP IGD 2',
  'nat-pmp': 'NAT-PMP',
  pcp: 'PCP',
};

function isIpv6(kind: string): boolean {
  return kind.startsWith('IPv6');
}

function inClass(seconds: number): string {
  const most = secondClasses.find((limit) => seconds <= limit);
  return most === undefined ? `> ${secondClasses.at(-1)} s` : `≤ ${most} s`;
}

function table(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}
