export { createCompatRoutes } from './compat/compat-routes.ts';
export { startNode } from './compose.ts';
export { checkConfig } from './config/check-config.ts';
export type { CompatRoute, RouteContext, RouteRequest } from './http/compat-route.ts';
export { createHttpFront, type HttpFrontDeps } from './http/http-front.ts';
export type { HttpFront, HttpFrontOptions } from './http-front.ts';
export { type DaemonOptions, startDaemon } from './start-daemon.ts';
