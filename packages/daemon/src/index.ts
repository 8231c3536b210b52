export { startNode } from './compose.ts';
