/** The HTTP API as data, with what checks its input: for the server, and for documents. Loads the schemas. */
export { openApiDocument } from './openapi.ts';
export { otherProblemStatus, type ProblemCode, problemCodes } from './problem-codes.ts';
export { type DecodedInput, decodeRouteInput, type InputMistake } from './route-input.ts';
export {
  eventChannel,
  eventStreamQuery,
  type RouteInput,
  type RouteResult,
  type RouteSchemas,
  routeSchemas,
} from './route-schemas.ts';
export { apiPrefix, type Route, type RouteName, routeNames, routes } from './routes.ts';
