import { after, before, beforeEach } from 'node:test';
import { createCompatRoutes } from '../compat-routes.ts';
import { type CompatServer, openCompatServer } from './compat-server.ts';
import { makeSample, type SampleTorrent } from './sample-torrent.ts';
import { TwinNode } from './twin-node.ts';

/** What foreign clients run against: the compatible APIs on a port of this machine, and a torrent to give them. */
export class CompatStage {
  twin!: TwinNode;
  sample!: SampleTorrent;
  server!: CompatServer;

  /** Opens it before the tests of the suite that calls this, and closes it after them. */
  static inSuite(): CompatStage {
    const stage = new CompatStage();
    before(async () => {
      stage.twin = await TwinNode.open();
      stage.sample = await makeSample(stage.twin.node);
      const routes = createCompatRoutes(stage.twin.ports, {
        transmission: true,
        qbittorrent: true,
        aria2: true,
      });
      stage.server = await openCompatServer(stage.twin, routes);
    });
    beforeEach(async () => {
      const { torrents } = stage.twin;
      await torrents.remove([...torrents.book.keys()]);
    });
    after(async () => {
      await stage.server?.close();
      stage.sample?.remove();
      await stage.twin?.close();
    });
    return stage;
  }

  /** The sample as the node has it. */
  get torrent(): NonNullable<ReturnType<TwinNode['torrents']['book']['get']>> {
    const torrent = this.twin.torrents.book.get(this.sample.infoHash);
    if (torrent === undefined) throw new Error('the node does not have the sample');
    return torrent;
  }
}
