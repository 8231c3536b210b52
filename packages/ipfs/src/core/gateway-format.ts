/** Which representation of content a request asks for: `?format=`, else `Accept` (IPIP-523: the query wins). */

export type GatewayFormat =
  | 'raw'
  | 'car'
  | 'tar'
  | 'ipns-record'
  | 'json'
  | 'cbor'
  | 'dag-json'
  | 'dag-cbor'
  | 'html';

export const formatTypes: Readonly<Record<Exclude<GatewayFormat, 'html'>, string>> = {
  raw: 'application/vnd.ipld.raw',
  car: 'application/vnd.ipld.car',
  tar: 'application/x-tar',
  'ipns-record': 'application/vnd.ipfs.ipns-record',
  json: 'application/json',
  cbor: 'application/cbor',
  'dag-json': 'application/vnd.ipld.dag-json',
  'dag-cbor': 'application/vnd.ipld.dag-cbor',
};

export type CarParameters = {
  readonly version: string;
  readonly order: string;
  readonly duplicates: boolean;
  readonly scope: 'block' | 'entity' | 'all';
  /** `entity-bytes`: first and last byte, negative from the end; `to` null: to the end. */
  readonly range: { readonly from: number; readonly to: number | null } | null;
};

type Accepted = { readonly type: string; readonly parameters: ReadonlyMap<string, string> };

const formatsByType = new Map(
  Object.entries(formatTypes).map(([format, type]) => [type, format as GatewayFormat]),
);

/** Null: none in particular. */
export function readFormat(
  query: URLSearchParams,
  accept: string | undefined,
): GatewayFormat | null | 'unknown' {
  const asked = query.get('format');
  if (asked !== null) return Object.hasOwn(formatTypes, asked) ? (asked as GatewayFormat) : 'unknown';
  for (const { type } of readAccept(accept)) {
    const format = type === 'text/html' ? 'html' : formatsByType.get(type);
    if (format !== undefined) return format;
  }
  return null;
}

/** A sentence when they make no sense. */
export function readCarParameters(
  query: URLSearchParams,
  accept: string | undefined,
): CarParameters | string {
  const offered = readAccept(accept).find(({ type }) => type === formatTypes.car)?.parameters;
  const of = (name: string): string | undefined => query.get(`car-${name}`) ?? offered?.get(name);
  const version = of('version') ?? '1';
  if (version !== '1') return `CAR version ${version} is not made here; version=1 is.`;
  const order = of('order') ?? 'dfs';
  if (order !== 'dfs' && order !== 'unk') return `order=${order} is neither dfs nor unk.`;
  const dups = of('dups') ?? 'n';
  if (dups !== 'y' && dups !== 'n') return `dups=${dups} is neither y nor n.`;
  const scope = query.get('dag-scope') ?? 'all';
  if (scope !== 'block' && scope !== 'entity' && scope !== 'all')
    return `dag-scope=${scope} is none of block, entity, all.`;
  const text = query.get('entity-bytes');
  const match = /^(-?\d{1,15}):(\*|-?\d{1,15})$/.exec(text ?? '');
  if (text !== null && match === null) return `entity-bytes=${text} is not of the form from:to.`;
  const range =
    match === null ? null : { from: Number(match[1]), to: match[2] === '*' ? null : Number(match[2]) };
  // A range means the file that has those bytes.
  return { version, order: 'dfs', duplicates: dups === 'y', scope: range === null ? scope : 'entity', range };
}

/** From and to (exclusive) of a range in something of so many bytes. */
export function placeRange(
  range: { readonly from: number; readonly to: number | null },
  bytes: number,
): { readonly from: number; readonly to: number } {
  const place = (at: number): number => (at < 0 ? Math.max(0, bytes + at) : at);
  const to = range.to === null ? bytes : range.to < 0 ? bytes + range.to + 1 : range.to + 1;
  return { from: place(range.from), to: Math.max(0, Math.min(bytes, to)) };
}

function readAccept(accept: string | undefined): readonly Accepted[] {
  return (accept ?? '')
    .slice(0, 4096)
    .split(',')
    .map((part) => {
      const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim());
      const pairs = parameters.map((piece) => {
        const [name = '', value = ''] = piece.split('=');
        return [name.trim().toLowerCase(), value.trim().replaceAll('"', '')] as const;
      });
      return { type: type.toLowerCase(), parameters: new Map(pairs) };
    });
}
