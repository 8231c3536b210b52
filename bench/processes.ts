import { readFileSync } from 'node:fs';

/** Ticks of the counters in /proc (USER_HZ, which is 100 on every Linux that people run). */
const ticksPerSecond = 100;

export type Usage = {
  /** User and system time of these processes, all their threads, and of their children that have ended. */
  readonly cpuSeconds: number;
  /** Sum of each process's largest resident set (VmHWM), files that are mapped into it included. */
  readonly peakBytes: number;
};

/** What these processes have used since they began. Those that have ended count for nothing. */
export function usageOf(processIds: readonly number[]): Usage {
  let ticks = 0;
  let peakBytes = 0;
  for (const id of processIds) {
    try {
      const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      for (const field of [11, 12, 13, 14]) ticks += Number(fields[field]);
      const status = readFileSync(`/proc/${id}/status`, 'utf8');
      peakBytes += Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    } catch {
      // It has ended.
    }
  }
  return { cpuSeconds: ticks / ticksPerSecond, peakBytes };
}

/** What these processes have in memory now (VmRSS, files that are mapped left out). */
export function residentBytesOf(processIds: readonly number[]): number {
  return memoryOf(processIds, 'RssAnon');
}

/** The same with files that are mapped, the program's own among them. */
export function wholeResidentBytesOf(processIds: readonly number[]): number {
  return memoryOf(processIds, 'VmRSS');
}

function memoryOf(processIds: readonly number[], field: 'RssAnon' | 'VmRSS'): number {
  let bytes = 0;
  for (const id of processIds) {
    try {
      const status = readFileSync(`/proc/${id}/status`, 'utf8');
      bytes += Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024;
    } catch {
      // It has ended.
    }
  }
  return bytes;
}
