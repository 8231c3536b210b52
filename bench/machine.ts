/** The machine that measures: what it is, and what of it is put into a known state before a measurement. */
import { spawnSync } from 'node:child_process';
import { statfsSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, totalmem } from 'node:os';
import { version as nodeVersion } from 'node:process';

const tmpfsType = 0x01021994;

export function describeMachine(folder: string): Readonly<Record<string, string | number>> {
  const processors = cpus();
  return {
    processor: processors[0]?.model ?? '',
    cores: processors.length,
    memoryBytes: totalmem(),
    system: `Linux ${release()} ${arch()}`,
    node: nodeVersion,
    fileSystemType: `0x${statfsSync(folder).type.toString(16)}`,
  };
}

/** Whether files there are kept in memory, without a disk. */
export function isMemory(folder: string): boolean {
  return statfsSync(folder).type === tmpfsType;
}

/** Writes out what programs have left to be written, so that it slows nobody who comes after. */
export function settleDisk(): void {
  spawnSync('sync');
}

/** Everything that is read from now on comes from the disk. Nothing is lost: what was not written is written first. */
export function dropFileCache(): void {
  settleDisk();
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}
