import { getBuiltinModule } from 'node:process';

/**
 * Node's HTTP. To import from it makes Node load its `fetch` and `WebSocket` too, which are properties of the same
 * module: 35 ms at every start, for nothing.
 */
export const http = getBuiltinModule('node:http');
