export { peerOf, readIdentity, tryDecodeIdentity } from './identity.ts';
export { limits } from './limits.ts';
export {
  defaultOverlayOptions,
  type IdentityFiles,
  type OverlayDeps,
  type OverlayOptions,
} from './options.ts';
export { createOverlay, type OverlayService } from './overlay.ts';
export { decodeSwarmKey } from './swarm-key.ts';
