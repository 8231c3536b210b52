/** The HTTP API for those who call it: paths and types, and nothing that takes time to load. */
export { encodeQuery } from './query-text.ts';
export type { RouteInput, RouteResult } from './route-schemas.ts';
export { apiPrefix, type Route, type RouteName, routeNames, routes } from './routes.ts';
