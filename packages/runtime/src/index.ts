export { createDisk, type DiskOptions } from './disk.ts';
