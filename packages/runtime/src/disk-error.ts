/** The system's errors as `NodeError`, for the disk operations that throw. */
import { type DiskFaultCode, NodeError } from '@tequio/kernel';
import { faultOf } from './disk-fault.ts';

const errorCodes: Readonly<Record<DiskFaultCode, string>> = {
  full: 'DISK_FULL',
  denied: 'DISK_DENIED',
  missing: 'DISK_MISSING',
  'not-a-file': 'DISK_NOT_A_FILE',
  io: 'DISK_IO',
};

/** For the operations that throw: `DISK_FULL`, `DISK_DENIED`, `DISK_MISSING`, `DISK_NOT_A_FILE`, `DISK_IO`. */
export function diskErrorOf(error: unknown, op: string, path: string): NodeError {
  if (error instanceof NodeError) return error;
  const fault = faultOf(error, path, null);
  return new NodeError(errorCodes[fault.code], fault.message, {
    op,
    retry: fault.code === 'full' || fault.code === 'denied' || fault.code === 'missing',
    data: { path },
    cause: error,
  });
}
