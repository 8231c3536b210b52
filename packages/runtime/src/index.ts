export { createDisk, type DiskOptions } from './disk.ts';
export { createDatabases } from './database.ts';
export { createFiles } from './files.ts';
