export { attachNode } from './attached-node.ts';
export { callKubo, jsonLines, type KuboCall, type KuboReply } from './kubo-calls.ts';
export { type ClientOptions, createClient, type NodeClient } from './node-client.ts';
export { RemoteIpfsRepository } from './remote-ipfs-repository.ts';
export type { TorrentCopy } from './torrent-copy.ts';
