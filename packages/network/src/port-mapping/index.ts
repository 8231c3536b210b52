/** Apart from the rest of the package, for it is loaded only where routers are asked. */
export { keyOfPort, type MappingProtocol, type Transport, type WantedPort } from './mapping.ts';
export type { MappingOptions } from './mapping-machine.ts';
export { PortMapper, type PortMapperPorts } from './port-mapper.ts';
export type { MappingStatus, ProtocolStatus, WayStatus } from './router-way.ts';
