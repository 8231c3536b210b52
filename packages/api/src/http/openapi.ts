/** The OpenAPI 3.1 description of the API, from the table of routes and the schemas that check what comes in. */
import { z } from 'zod';
import { problem } from '../schemas/node-schemas.ts';
import { type RouteSchemas, routeSchemas } from './route-schemas.ts';
import { apiPrefix, type Route, type RouteName, routeNames, routes } from './routes.ts';

type Json = Readonly<Record<string, unknown>>;

/** @param version of the node */
export function openApiDocument(version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const name of routeNames) {
    const { method, path }: Route = routes[name];
    paths[apiPrefix + path] ??= {};
    paths[apiPrefix + path]![method.toLowerCase()] = operationOf(name);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tequio',
      version,
      description: 'What the page and the command line of a Tequio node use, for every other program.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: "A key, or the token of the node's data folder.",
        },
        password: { type: 'http', scheme: 'basic' },
      },
      schemas: { problem: toSchema(problem, 'output') },
    },
    security: [{ key: [] }, { password: [] }],
  };
}

function operationOf(name: RouteName): Json {
  const { path, scope, summary }: Route = routes[name];
  const { query, params, body, result }: RouteSchemas = routeSchemas[name];
  return {
    operationId: name,
    tags: [name.split('.')[0]],
    summary,
    ...(scope === 'none' ? { security: [] } : { 'x-scope': scope }),
    parameters: [
      ...pathParameters(path, params),
      ...(query === undefined
        ? []
        : Object.entries(query.shape).map(([key, schema]) => parameter(key, 'query', schema as z.ZodType))),
    ],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: toSchema(body, 'input') } },
          },
        }),
    responses: {
      ...successOf(name, result),
      default: { description: 'A problem.', content: problemContent },
    },
  };
}

const problemContent = {
  'application/problem+json': { schema: { $ref: '#/components/schemas/problem' } },
};

const otherAnswers: Partial<Record<RouteName, Json>> = {
  'torrents.export': { 200: { description: 'The file.', content: { 'application/x-bittorrent': {} } } },
  'torrents.content': { 307: { description: 'Leads to the content.' } },
  'torrents.playlist': {
    200: { description: 'The playlist.', content: { 'application/vnd.apple.mpegurl': {} } },
  },
  'events.stream': {
    200: { description: 'Events, until one side ends it.', content: { 'text/event-stream': {} } },
  },
};

function successOf(name: RouteName, result: z.ZodType | undefined): Json {
  if (result === undefined) return otherAnswers[name] ?? { 204: { description: 'Done.' } };
  return {
    200: {
      description: 'The answer.',
      content: { 'application/json': { schema: toSchema(result, 'output') } },
    },
  };
}

function pathParameters(path: string, params: z.ZodObject | undefined): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, key]) => ({
    ...parameter(key!, 'path', params!.shape[key!] as z.ZodType),
    required: true,
  }));
}

function parameter(key: string, place: 'path' | 'query', schema: z.ZodType): Json {
  const { description, ...rest } = toSchema(schema, 'input');
  return {
    name: key,
    in: place,
    ...(description === undefined ? {} : { description }),
    ...(place === 'query' ? { required: !schema.safeParse(undefined).success, explode: false } : {}),
    schema: rest,
  };
}

function toSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  return rest;
}
