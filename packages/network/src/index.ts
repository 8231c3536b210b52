export {
  AddressFilter,
  type AddressFilterFile,
  type BadLine,
  decodeAddressFilter,
} from './address-filter.ts';
export { addressKey, peerKey } from './address-key.ts';
export { Admission, type AdmissionOptions } from './admission.ts';
export { type Ban, BanList } from './ban-list.ts';
export { RateLimiter } from './bandwidth.ts';
export { BoundLine, type BoundLineDeps, type LineAddresses } from './bound-line.ts';
export { BoundPorts } from './bound-ports.ts';
export {
  type BudgetRefusal,
  ConnectionBudget,
  type ConnectionLimits,
  type ConnectionSlot,
  defaultConnectionLimits,
} from './connection-budget.ts';
export { FilteredPorts } from './filtered-ports.ts';
export {
  checkSchedule,
  limitsAt,
  type RateLimitPair,
  type ScheduleRule,
  untilChangeMs,
} from './limit-schedule.ts';
export { limits } from './limits.ts';
export { PortsAbove } from './ports-above.ts';
export {
  type Reachability,
  type ReachabilityAdvice,
  type ReachabilityBasis,
  ReachabilityJudge,
  type ReachabilityState,
} from './reachability.ts';
export { type DatagramKind, datagramKind, SharedUdp, type SharedUdpCounts } from './shared-udp.ts';
export type { UtpCounts } from './utp/utp-socket.ts';
export { UtpStreams } from './utp/utp-streams.ts';
