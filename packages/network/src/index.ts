export { addressKey, peerKey } from './address-key.ts';
export { Admission, type AdmissionOptions } from './admission.ts';
export { type Ban, BanList } from './ban-list.ts';
export { RateLimiter } from './bandwidth.ts';
export {
  type BudgetRefusal,
  ConnectionBudget,
  type ConnectionLimits,
  type ConnectionSlot,
  defaultConnectionLimits,
} from './connection-budget.ts';
export { limits } from './limits.ts';
export { type DatagramKind, datagramKind, SharedUdp, type SharedUdpCounts } from './shared-udp.ts';
