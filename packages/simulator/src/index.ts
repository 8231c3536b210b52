export { SimulatedDisk, type SimulatedDiskOptions } from './disk.ts';
export { SimulatedVolume, VolumeFailure } from './disk-volume.ts';
