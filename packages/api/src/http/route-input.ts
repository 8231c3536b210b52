/** Texts of a request to the checked input of its route. */
import type { z } from 'zod';
import { mistakeOf } from '../input-mistake.ts';
import { decodeQueryValue, type QueryKind } from './query-text.ts';
import type { RouteSchemas } from './route-schemas.ts';

export type InputMistake = { readonly path: string; readonly message: string };
export type DecodedInput =
  | { readonly ok: true; readonly params: unknown; readonly query: unknown; readonly body: unknown }
  | { readonly ok: false; readonly mistakes: readonly InputMistake[] };

const mistakeCountMax = 20;

/** @param body what JSON says; undefined: there is none */
export function decodeRouteInput(
  schemas: RouteSchemas,
  given: {
    readonly params: Readonly<Record<string, string>>;
    readonly query: URLSearchParams;
    readonly body: unknown;
  },
): DecodedInput {
  const mistakes: InputMistake[] = [];
  const query: Record<string, string> = {};
  for (const [name, value] of given.query) {
    if (name in query) mistakes.push({ path: `query.${name}`, message: 'is there twice' });
    query[name] = value;
  }
  if (schemas.query === undefined)
    for (const name of Object.keys(query))
      mistakes.push({ path: `query.${name}`, message: 'is not known here' });
  const params = check('path', schemas.params, toValues(schemas.params, given.params), mistakes);
  const checkedQuery = check('query', schemas.query, toValues(schemas.query, query), mistakes);
  const body = check('body', schemas.body, given.body, mistakes);
  return mistakes.length > 0
    ? { ok: false, mistakes: mistakes.slice(0, mistakeCountMax) }
    : { ok: true, params, query: checkedQuery, body };
}

function check(
  part: string,
  schema: z.ZodType | undefined,
  value: unknown,
  mistakes: InputMistake[],
): unknown {
  if (schema === undefined) return undefined;
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  for (const issue of checked.error.issues)
    mistakes.push({ path: [part, ...issue.path.map(String)].join('.'), message: mistakeOf(issue) });
  return undefined;
}

function toValues(
  schema: z.ZodObject | undefined,
  texts: Readonly<Record<string, string>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => {
      const field = schema === undefined ? undefined : (schema.shape[name] as z.ZodType | undefined);
      return [name, field === undefined ? text : decodeQueryValue(text, kindOf(field))];
    }),
  );
}

type Definition = { readonly type: string; readonly innerType?: z.ZodType; readonly element?: z.ZodType };

function kindOf(schema: z.ZodType): QueryKind {
  let definition = schema.def as Definition;
  let nullable = false;
  while (definition.innerType !== undefined) {
    nullable ||= definition.type === 'nullable';
    definition = definition.innerType.def as Definition;
  }
  const item = (definition.element?.def as Definition | undefined)?.type === 'number' ? 'number' : 'string';
  const type = definition.type;
  return {
    type: type === 'number' || type === 'boolean' || type === 'array' ? type : 'string',
    nullable,
    item,
  };
}
