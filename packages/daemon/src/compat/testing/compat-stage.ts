import { mkdirSync, writeFileSync } from 'node:fs';
import { env } from 'node:process';
import { after, before, beforeEach } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createCompatRoutes } from '../compat-routes.ts';
import { type CompatServer, openCompatServer } from './compat-server.ts';
import { makeSample, type SampleTorrent } from './sample-torrent.ts';
import { TwinNode } from './twin-node.ts';

const resultsFolder = fileURLToPath(new URL('../../../../../e2e/results/compat/', import.meta.url));

/** What foreign clients run against: the compatible APIs on a port of this machine, and a torrent to give them. */
export class CompatStage {
  twin!: TwinNode;
  sample!: SampleTorrent;
  server!: CompatServer;

  readonly #calls = new Set<string>();

  /**
   * Opens it before the tests of the suite that calls this, and closes it after them. Where every foreign program has
   * to be here (TEQUIO_REQUIRE_PEERS=1), the calls that the client has made are written down for docs/compat.md.
   * @param client its name, and the name of its results; none: it is no client's, and nothing is written down
   */
  static inSuite(client?: string, fileName?: string): CompatStage {
    const stage = new CompatStage();
    before(async () => {
      stage.twin = await TwinNode.open();
      stage.sample = await makeSample(stage.twin.node);
      const routes = createCompatRoutes(stage.twin.ports, {
        transmission: true,
        qbittorrent: true,
        aria2: true,
        kubo: true,
      });
      stage.server = await openCompatServer(stage.twin, routes, (name) => stage.#calls.add(name));
    });
    beforeEach(async () => {
      const { torrents } = stage.twin;
      await torrents.remove([...torrents.book.keys()]);
    });
    after(async () => {
      await stage.server?.close();
      stage.sample?.remove();
      await stage.twin?.close();
      if (env['TEQUIO_REQUIRE_PEERS'] !== '1' || client === undefined) return;
      mkdirSync(resultsFolder, { recursive: true });
      const calls = [...stage.#calls].sort();
      const text = JSON.stringify(
        { client, test: `packages/daemon/src/compat/clients/${fileName}.test.ts`, calls },
        null,
        2,
      );
      writeFileSync(`${resultsFolder}calls-${fileName}.json`, `${text}\n`);
    });
    return stage;
  }

  /** Those that the client has made so far, by name. */
  get calls(): ReadonlySet<string> {
    return this.#calls;
  }

  /** The sample as the node has it. */
  get torrent(): NonNullable<ReturnType<TwinNode['torrents']['book']['get']>> {
    const torrent = this.twin.torrents.book.get(this.sample.infoHash);
    if (torrent === undefined) throw new Error('the node does not have the sample');
    return torrent;
  }
}
