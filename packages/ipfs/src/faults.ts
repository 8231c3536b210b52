import { type Fault, failed } from '@tequio/kernel';

/** The refusal of bytes that came from elsewhere. @param code without its prefix @param message a plain sentence */
export function refused(code: string, message: string): { readonly ok: false; readonly fault: Fault } {
  return failed({ code: `IPFS_${code}`, message, blame: 'peer', penalty: 0 });
}
