export { ContentProviding, type ContentProvidingDeps } from './content-providing.ts';
export type * from './contract.ts';
export { hashCodes, matchesCid, tryDigest } from './core/block-hash.ts';
export { cidOfKey } from './core/block-key.ts';
export type { DagRoot } from './core/block-maker.ts';
export { createSelection, type SelectionOptions } from './core/block-selection.ts';
export { type Chunker, parseChunker } from './core/chunker.ts';
export { DenyList } from './core/deny-list.ts';
export { makeFolder, makeSymlink, wrapInFolder } from './core/folder.ts';
export { decodeValue, encodeValue, type IpldValue, linksIn, linksOf } from './core/ipld.ts';
export { parseIpfsPath } from './core/path.ts';
export { type ImportProfile, type ProfileName, profiles } from './core/profile.ts';
export { defaultSweepOptions, type SweepOptions, type SweepState } from './core/provider-sweep.ts';
export { contentBytesOf, readUnixfsNode, type UnixfsNode } from './core/unixfs-node.ts';
export { IpfsExchange, type IpfsExchangeDeps } from './exchange.ts';
export type { ProvideStrategy } from './provide-selection.ts';
export { IpfsRepository, type RepositoryOptions, type RepositoryPorts } from './repository.ts';
export { type IpfsPorts, IpfsService } from './service.ts';
export type { BitswapDeps, BitswapStore } from './shell/bitswap-deps.ts';
export { BitswapDriver, type BitswapPeerView } from './shell/bitswap-driver.ts';
export { type CollectionReport, GraphWalk } from './shell/block-collection.ts';
export { type BlockNamer, tryNameBlock } from './shell/block-name.ts';
export {
  BlockStore,
  type BlockStoreOptions,
  type BlockStorePorts,
  type BlockStoreState,
} from './shell/block-store.ts';
export { type VerificationReport, verifyBlocks } from './shell/block-verification.ts';
export type { Block, BlockInFile, BlockReader, BlockWriter } from './shell/blocks.ts';
export { type CarExportOptions, type CarImport, exportCar, importCar } from './shell/car-files.ts';
export { getBlock, walkDag } from './shell/dag-reader.ts';
export { answerRouting, DelegatedRouting, type RoutingServerDeps } from './shell/delegated-routing.ts';
export { Dnslinks } from './shell/dnslink.ts';
export { findInFolder } from './shell/folder-edit.ts';
export {
  defaultGatewayOptions,
  Gateway,
  type GatewayDeps,
  type GatewayOptions,
  type GatewayRequest,
} from './shell/gateway.ts';
export { HotAnswers } from './shell/hot-answers.ts';
export { HotBlocks } from './shell/hot-blocks.ts';
export { ed25519Key } from './shell/ipns-keys.ts';
export {
  defaultPublishOptions,
  type FindKey,
  type IpnsKey,
  IpnsNames,
  type IpnsNamesDeps,
  type PublishOptions,
} from './shell/ipns-names.ts';
export { diskLeafHasher } from './shell/leaf-hasher.ts';
export { childPlaces, leafPlaces } from './shell/leaf-places.ts';
export { MemoryBlocks } from './shell/memory-blocks.ts';
export {
  Mfs,
  type MfsChangeOptions,
  type MfsDeps,
  type MfsRoot,
  type MfsStat,
  type MfsWriteOptions,
} from './shell/mfs.ts';
export { NameResolver, type NameSource } from './shell/name-resolver.ts';
export { type ResolvedPath, resolvePath } from './shell/path-resolver.ts';
export type { Pin, PinCheck, PinMode, PinOptions, Pins } from './shell/pins.ts';
export { type ProvidedStore, Providing, type ProvidingDeps } from './shell/providing.ts';
export {
  ForgottenNames,
  type PublishedName,
  PublishedNames,
  type PublishedStore,
} from './shell/published-names.ts';
export { Retrieval, type RetrievalCounts, type RetrievalDeps } from './shell/retrieval.ts';
export { exportTar } from './shell/tar-export.ts';
export { TrustlessGateways, type TrustlessGatewaysDeps } from './shell/trustless-gateways.ts';
export {
  type EntryImportOptions,
  type ImportEntry,
  type ImportedEntry,
  importEntries,
} from './shell/unixfs-entries.ts';
export { exportBytes, exportFile, getUnixfsNode, listFolder } from './shell/unixfs-export.ts';
export {
  type FileSetImport,
  type HashedFile,
  hashedChunkBytes,
  importFileSet,
  type SetFile,
} from './shell/unixfs-file-set.ts';
export {
  type ImportDeps,
  type InPlaceWriter,
  importBytes,
  importFile,
  importStream,
} from './shell/unixfs-import.ts';
export {
  importTree,
  type TreeImport,
  type TreeImportDeps,
  type TreeImportOptions,
} from './shell/unixfs-tree.ts';
export { VerifiedBlocks } from './shell/verified-blocks.ts';
export { openFiles, StoredRoot } from './stored-root.ts';
export { cidText, codecs, makeCid, multibases, tryDecodeCid, tryParseCid } from './wire/cid.ts';
export { type DagPbLink, type DagPbNode, decodeDagPb, encodeDagPb } from './wire/dag-pb.ts';
export {
  encodePrivateKey,
  encodePublicKey,
  type IpfsPublicKey,
  ipnsNameOf,
  ipnsNameText,
  ipnsPeerText,
  ipnsRoutingKey,
  ipnsTopic,
  tryDecodePrivateKey,
  tryKeyInName,
  tryParseIpnsName,
} from './wire/ipns-name.ts';
export {
  compareIpnsRecords,
  encodeIpnsRecord,
  type IpnsRecord,
  readIpnsRecord,
  type VerifySignature,
} from './wire/ipns-record.ts';
