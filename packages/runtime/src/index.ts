export { createAead } from './aead.ts';
export { readBootId } from './boot-id.ts';
export { createClock } from './clock.ts';
export { createDatabases } from './database.ts';
export { createDisk, type DiskOptions } from './disk.ts';
export { createEntropy } from './entropy.ts';
export { createFiles } from './files.ts';
export { type FolderLock, tryLockFolder } from './folder-lock.ts';
export { type FolderEntry, freeBytesAt, listFolder, makePrivate, removeFile, renameFile } from './folders.ts';
export { createHashes } from './hashes.ts';
export { createHttpClient, httpClientLimits } from './http-client.ts';
export { createHttpServer } from './http-server.ts';
export { httpServerLimits } from './http-server-limits.ts';
export { createRuntimePorts, type RuntimeOptions, type RuntimePorts } from './ports.ts';
export {
  createOwnKey,
  type OwnKey,
  type OwnKeyType,
  ownKeyToPem,
  rsaBits,
  signWithOwnKey,
  tryOwnKeyFromPem,
  tryPublicKeyOf,
} from './private-keys.ts';
export { type ProgramRun, runProgram } from './program.ts';
export { type ForeignKeyType, verifyForeignSignature } from './public-keys.ts';
export { createResolver, resolverLimits } from './resolver.ts';
export { createSignatures } from './signatures.ts';
export { createTcp, tcpLimits } from './tcp.ts';
export { lookUpText } from './text-records.ts';
export { createUdp, hasBatchedUdp } from './udp.ts';
export { udpLimits } from './udp-limits.ts';
export { createWebServer, webServerLimits } from './web-server.ts';
export { createX25519 } from './x25519.ts';
