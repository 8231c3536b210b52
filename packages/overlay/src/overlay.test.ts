import { untilReal } from '@tequio/kernel/compliance/clock-real';
import { testOverlayPort } from '@tequio/kernel/compliance/overlay';
import { startOverlays } from './testing/start-overlays.ts';

testOverlayPort('libp2p', async () => {
  const { nodes, close } = await startOverlays(3);
  const [a, b, c] = nodes;
  return {
    nodes: [a!, b!, c!],
    until: untilReal,
    settled: (promise) => promise,
    close,
  };
});
