import { testOverlayPort } from '@tequio/kernel/compliance/overlay';
import { SimulatedOverlays } from './overlay.ts';
import { World } from './world.ts';

for (const rate of [Number.POSITIVE_INFINITY, 20e6]) {
  testOverlayPort(`simulated overlay at ${rate} bytes/s`, async () => {
    const world = new World({ seed: 1 });
    const overlays = new SimulatedOverlays(world);
    const hosts = [0, 1, 2].map(() => world.addHost({ upRate: rate, downRate: rate }));
    const [a, b, c] = await Promise.all(hosts.map((host) => overlays.add(host)));
    return {
      nodes: [a!, b!, c!],
      until: (condition) => world.run(condition),
      settled: async (promise) => {
        let isSettled = false;
        const done = (): void => void (isSettled = true);
        promise.then(done, done);
        await world.run(() => isSettled);
        return promise;
      },
      close: async () => {},
    };
  });
}
