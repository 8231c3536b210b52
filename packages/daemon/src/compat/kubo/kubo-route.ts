/**
 * `/api/v0`: kubo's RPC, for IPFS WebUI, kubo-rpc-client and scripts. All calls are POST, so that no page of others can
 * make a browser do one without saying where it comes from, which the server checks.
 */
import type { CompatRoute } from '../../http/compat-route.ts';
import type { KuboDeps } from './kubo-verb.ts';

/** The verbs, and all of IPFS with them, are loaded with the first call. @param open may throw what calls are told */
export function createKuboRoute(open: () => Promise<KuboDeps>): CompatRoute {
  return {
    prefix: '/api/v0',
    handle: async (request, context) => {
      const { answerCall } = await import('./kubo-rpc.ts');
      return answerCall(request, context, open);
    },
  };
}
