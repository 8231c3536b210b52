/** Tables of docs/api.md, from the table of routes and the schemas that check what comes in. */
import {
  apiPrefix,
  eventStreamQuery,
  openApiDocument,
  otherProblemStatus,
  problemCodes,
  type Route,
  type RouteSchemas,
  routeNames,
  routeSchemas,
  routes,
} from '@tequio/api/http';

type Schema = {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly description?: string;
};

type Operation = {
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
};

/** One table for each noun. */
export function apiRoutesTable(): string {
  const { paths } = openApiDocument('') as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  const lines: string[] = [];
  let noun = '';
  for (const name of routeNames) {
    const [first = ''] = name.split('.');
    if (first !== noun) {
      if (noun !== '') lines.push('');
      noun = first;
      lines.push('| request | scope | what | input |', '| --- | --- | --- | --- |');
    }
    const { method, path, scope, summary }: Route = routes[name];
    const operation = paths[apiPrefix + path]![method.toLowerCase()]!;
    lines.push(
      `| \`${method} ${path}\` | ${scope} | ${summary} | ${inputOf(operation, routeSchemas[name])} |`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function inputOf({ parameters, requestBody }: Operation, schemas: RouteSchemas): string {
  const query = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => `\`?${name}\``);
  if (schemas.body === undefined || requestBody === undefined) return query.join(' ');
  return [...query, `\`${sketch(requestBody.content['application/json'].schema)}\``]
    .join(' ')
    .replaceAll('|', '\\|');
}

/** `{ ids, removeContent? }` */
function sketch(schema: Schema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(sketch).join(' | ');
  if (schema.properties === undefined)
    return schema.type === 'object' ? '{ … }' : String(schema.type ?? 'any');
  const names = Object.keys(schema.properties).map((name) =>
    schema.required?.includes(name) === true ? name : `${name}?`,
  );
  return `{ ${names.join(', ')} }`;
}

/** What `GET /events` can be asked for. */
export function apiStreamTable(): string {
  const lines = ['| parameter | what |', '| --- | --- |'];
  for (const [name, schema] of Object.entries(eventStreamQuery.shape)) {
    const { description = '' } = schema.meta() ?? {};
    lines.push(`| \`${name}\` | ${description === '' ? 'as for `GET /torrents`' : description} |`);
  }
  return `${lines.join('\n')}\n`;
}

export function apiCodesTable(): string {
  const lines = ['| code | status | meaning |', '| --- | --- | --- |'];
  for (const [code, { status, meaning }] of Object.entries(problemCodes))
    lines.push(`| \`${code}\` | ${status} | ${meaning} |`);
  lines.push(`| any other | ${otherProblemStatus} | \`detail\` says it in a sentence |`);
  return `${lines.join('\n')}\n`;
}
