/** Why connections end that nobody is to blame for. */
import type { Fault } from '@tequio/kernel';
import { wireFault } from '../wire/peer-decoder.ts';

/** @param error as the system says it */
export function connectionFault(error: string): Fault {
  return { ...wireFault('CONNECTION', `The connection ended: ${error}.`, 0), blame: 'none' };
}

export const replacedFault: Fault = {
  code: 'BITTORRENT_REPLACED',
  message: 'All places are taken, and another peer has a higher canonical priority (BEP 40).',
  blame: 'none',
  penalty: 0,
};

export const privateFault: Fault = {
  code: 'BITTORRENT_PRIVATE',
  message: 'The torrent is private: only its trackers may name peers.',
  blame: 'none',
  penalty: 0,
};

export const partedFault: Fault = {
  code: 'BITTORRENT_PEER_CLOSED',
  message: 'The connection was not needed any more.',
  blame: 'none',
  penalty: 0,
};
