/**
 * Everything that the CID of a file or folder depends on, besides its content. The two named profiles are those of
 * IPIP-499, so that everybody who uses one of them gets the same CID.
 */
import { type Chunker, fixedChunker } from './chunker.ts';

export type ImportProfile = {
  readonly cidVersion: 0 | 1;
  /** What blocks are named by, of `hashCodes`; left out: SHA-256. */
  readonly hashCode?: number;
  readonly chunker: Chunker;
  /** A leaf is its content and nothing else; not so when a file has a mode or a time, which stand in its root. */
  readonly rawLeaves: boolean;
  readonly layout: 'balanced' | 'trickle';
  /** Children of a block of a file. */
  readonly fileLinkCountMax: number;
  readonly directory: DirectoryRules;
};

export type DirectoryRules = {
  /** Larger folders are spread over many blocks. */
  readonly shardAboveBytes: number;
  /** How a folder is measured for that: names and CIDs alone, or its block. */
  readonly measure: 'names' | 'block';
  /** Children of a shard: a power of two, from 8. */
  readonly fanout: number;
};

export const profiles = {
  /** CID version 1, chunks of 1 MiB that are leaves as they are, 1024 to a block. */
  'unixfs-v1-2025': {
    cidVersion: 1,
    chunker: fixedChunker(1 << 20),
    rawLeaves: true,
    layout: 'balanced',
    fileLinkCountMax: 1024,
    directory: { shardAboveBytes: 1 << 18, measure: 'block', fanout: 256 },
  },
  /** CID version 0, chunks of 256 KiB in blocks of dag-pb, 174 to a block. */
  'unixfs-v0-2015': {
    cidVersion: 0,
    chunker: fixedChunker(1 << 18),
    rawLeaves: false,
    layout: 'balanced',
    fileLinkCountMax: 174,
    directory: { shardAboveBytes: 1 << 18, measure: 'names', fanout: 256 },
  },
} as const satisfies Readonly<Record<string, ImportProfile>>;

export type ProfileName = keyof typeof profiles;
