/** The system's errors as disk faults. Loaded by the workers too, so it takes nothing but types from the kernel. */
import type { DiskFault, DiskFaultCode, FileId } from '@tequio/kernel';

/** Thrown inside this package to end a job; never leaves it. */
export class DiskFailure extends Error {
  readonly code: DiskFaultCode;
  readonly file: FileId | null;

  constructor(code: DiskFaultCode, message: string, file: FileId | null) {
    super(message);
    this.code = code;
    this.file = file;
  }
}

const codes: Readonly<Record<string, DiskFaultCode>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  EROFS: 'denied',
  EACCES: 'denied',
  EPERM: 'denied',
  ENOENT: 'missing',
  ELOOP: 'not-a-file',
  EISDIR: 'not-a-file',
  ENOTDIR: 'not-a-file',
  ENXIO: 'not-a-file',
};

/** The system's error code of anything thrown, or ''. */
export function systemCodeOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : '';
}

export function diskCodeOf(error: unknown): DiskFaultCode {
  return error instanceof DiskFailure ? error.code : (codes[systemCodeOf(error)] ?? 'io');
}

/** What the user reads of `code` at `path`. */
export function sentenceOf(code: DiskFaultCode, path: string, error: unknown): string {
  switch (code) {
    case 'full':
      return `There is no space left for "${path}".`;
    case 'denied':
      return `The system does not permit access to "${path}".`;
    case 'missing':
      return `"${path}" is missing or shorter than it should be.`;
    case 'not-a-file':
      return `Where "${path}" should be, there is a symbolic link or a folder, or its folder is none.`;
    case 'io':
      return `"${path}" cannot be used: ${error instanceof Error ? error.message : String(error)}.`;
  }
}

export function faultOf(error: unknown, path: string, file: FileId | null): DiskFault {
  if (error instanceof DiskFailure) return { code: error.code, message: error.message, file: error.file };
  const code = diskCodeOf(error);
  return { code, message: sentenceOf(code, path, error), file };
}
