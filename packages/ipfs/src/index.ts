export type * from './contract.ts';
export type { Block, BlockReader, BlockWriter } from './shell/blocks.ts';
