/** The way through the page in Firefox: first steps, a magnet link, watching it come, playing, a restart. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Firefox, skipWithoutFirefox } from '../lab/firefox.ts';
import { Stage, songPath } from './stage.ts';

describe('the page in Firefox', { skip: skipWithoutFirefox, timeout: 280_000 }, () => {
  it('goes from the first start to a restart of the node', async () => {
    const stage = new Stage();
    let firefox: Firefox | null = null;
    try {
      const [enter, started] = await Promise.all([stage.start(), Firefox.start()]);
      firefox = started;
      await firefox.open(enter);
      await firefox.evaluate(
        `globalThis.faults = []; addEventListener('error', (event) => faults.push(event.message)); 0`,
      );
      const says = (text: string): string => `document.body.innerText.includes(${JSON.stringify(text)})`;

      await firefox.write('Folder', stage.folder);
      await firefox.press('button', 'Next');
      await firefox.press('button', 'Next');
      await firefox.press('button', 'Begin');
      await firefox.waitFor('the first steps are over', `!document.querySelector('dialog')`);

      await firefox.press('button', 'Add');
      await firefox.write('Magnet link, info-hash or web address', stage.magnet);
      await firefox.press('button', 'Look inside');
      await firefox.press('checkbox', 'notes.txt');
      await firefox.press('button', 'Add');
      const isOpen = `document.querySelector('h1')?.innerText === 'Fonoteca'`;
      await firefox.waitFor('it is here', `${isOpen} && ${says('Sharing')}`);
      assert.ok(readFileSync(join(stage.folder, 'Fonoteca', songPath)).equals(stage.song));

      await firefox.press('link', 'Files');
      const audio = `document.querySelector('audio')`;
      await firefox.press('button', 'Play: 01 Sandunga.wav');
      await firefox.waitFor('it can be played', `${audio}?.duration === 12 && ${audio}.readyState >= 3`);
      await firefox.press('button', 'Close');

      await firefox.press('link', 'World');
      await firefox.waitFor('the map is there', `document.querySelector('canvas')?.height > 100`);
      await firefox.press('link', 'Settings');
      await firefox.waitFor('settings are there', says('Upload limit'));

      await stage.daemon.stop();
      await firefox.waitFor('it says that the node is away', says('The node does not answer'));
      await stage.daemon.start();
      await firefox.waitFor('it goes on', `!(${says('The node does not answer')})`);
      await firefox.press('link', 'Torrents');
      await firefox.waitFor('the torrent is in the list', says('Fonoteca'));
      assert.equal(await firefox.evaluate('faults.join()'), '');
    } finally {
      await firefox?.stop();
      await stage.stop();
    }
  });
});
