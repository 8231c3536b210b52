export { createClock } from './clock.ts';
export { createDatabases } from './database.ts';
export { createDisk, type DiskOptions } from './disk.ts';
export { createEntropy } from './entropy.ts';
export { createFiles } from './files.ts';
export { createHashes } from './hashes.ts';
export { createTcp, tcpLimits } from './tcp.ts';
