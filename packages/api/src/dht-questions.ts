import type { DhtApi } from '@tequio/bittorrent/contract';

/**
 * Questions that the node asks the DHT for somebody. Each waits for the first nodes where none is known yet.
 * @throws NodeError `DHT_OFF`, `DHT_UNREACHABLE`, `DHT_BUSY`, and those of `DhtApi`
 */
export type DhtQuestions = Pick<DhtApi, 'ping' | 'lookup' | 'get' | 'put' | 'sample'>;
