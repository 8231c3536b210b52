/** What every DiskPort must do; run on the runtime's over real folders and on the simulator's in virtual time. */
import { test } from 'node:test';
import { dataCases } from './disk-data.ts';
import { faultCases } from './disk-faults.ts';
import { fileCases } from './disk-files.ts';
import { type DiskFixture, World } from './disk-world.ts';

export type { DiskFixture } from './disk-world.ts';

/** Registers the tests. @param make opens a port and its world */
export function testDiskPort(name: string, make: () => Promise<DiskFixture>): void {
  for (const [title, body] of [...dataCases, ...faultCases, ...fileCases]) {
    test(`${name}: ${title}`, async (context) => {
      const fixture = await make();
      try {
        await body(new World(fixture), context);
      } finally {
        await fixture.close();
      }
    });
  }
}
