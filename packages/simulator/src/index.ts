export { VirtualClock } from './clock.ts';
export { SimulatedDisk, type SimulatedDiskOptions } from './disk.ts';
export { SimulatedVolume, VolumeFailure } from './disk-volume.ts';
export { Host, type HostOptions, Network } from './network.ts';
export { SimulatedOverlay, type SimulatedOverlayOptions, SimulatedOverlays } from './overlay.ts';
export { simulatedTcpLimits } from './tcp.ts';
export { type HostPorts, World, type WorldOptions } from './world.ts';
