export { startNode } from './compose.ts';
export type { HttpFront, HttpFrontOptions } from './http-front.ts';
