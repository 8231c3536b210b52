/** Whatever a client says, each of the three APIs answers in its own way: no call breaks the server. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, suite, test } from 'node:test';
import fc from 'fast-check';
import { aria2Looks, aria2Verbs } from './aria2/aria2-methods.ts';
import { Aria2Rpc } from './aria2/aria2-rpc.ts';
import type { CompatCaller } from './compat-caller.ts';
import { CallerState } from './qbittorrent/caller-state.ts';
import { Form } from './qbittorrent/form.ts';
import { apiErrorOf, apiLooks, apiVerbs } from './qbittorrent/qbittorrent-api.ts';
import { apiCall } from './testing/api-call.ts';
import { makeSample, type SampleTorrent } from './testing/sample-torrent.ts';
import { TwinNode } from './testing/twin-node.ts';
import { olderWord } from './transmission/dialect.ts';
import { torrentFields } from './transmission/torrent-fields.ts';
import { rpcMethods, TransmissionRpc } from './transmission/transmission-rpc.ts';

const runs = { numRuns: 400 };

suite('hostile calls', () => {
  let twin: TwinNode;
  let sample: SampleTorrent;
  let caller: CompatCaller;

  before(async () => {
    twin = await TwinNode.open();
    sample = await makeSample(twin.node);
    caller = { identity: { user: null, scope: 'admin' }, management: twin.node.management! };
  });
  beforeEach(() => twin.torrents.book.clear());
  after(async () => {
    sample.remove();
    await twin.close();
  });

  const refill = async (): Promise<void> => {
    if (twin.torrents.book.size === 0) await twin.torrents.add({ source: { torrent: sample.bytes } });
  };
  /** A value of any kind, often one that means something. */
  const value = (): fc.Arbitrary<unknown> =>
    fc.oneof(
      fc.constantFrom(
        1,
        [1],
        sample.infoHash,
        sample.infoHash.slice(0, 16),
        true,
        '',
        '/x',
        'recently-active',
        [0],
        [9],
      ),
      fc.constantFrom('http://t.example/announce', -1, 2 ** 53, Number.MAX_VALUE, '1|0', 'all', [[]], {
        a: [],
      }),
      fc.jsonValue(),
    );

  test('Transmission, both dialects', async () => {
    const rpc = new TransmissionRpc(twin.ports);
    const keys =
      `ids fields location path name format files_wanted files_unwanted priority_high labels tracker_list
      tracker_add tracker_remove tracker_replace seed_ratio_limit seed_ratio_mode queue_position metainfo filename
      download_dir speed_limit_down alt_speed_time_day alt_speed_time_enabled encryption preferred_transports
      download_limit download_limited ip_protocol blocklist_url`.split(/\s+/);
    const request = fc.record({
      method: fc.oneof(fc.constantFrom(...Object.keys(rpcMethods)), fc.string()),
      args: fc.dictionary(fc.constantFrom(...keys), value()),
      isOlder: fc.boolean(),
      fields: fc.array(fc.constantFrom(...Object.keys(torrentFields))),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ method, args, isOlder, fields }) => {
        await refill();
        const given = { ...(method === 'torrent_get' ? { fields } : {}), ...args };
        const older = Object.fromEntries(Object.entries(given).map(([key, item]) => [olderWord(key), item]));
        const message = isOlder
          ? { method: method.replaceAll('_', '-'), arguments: older }
          : { jsonrpc: '2.0', id: 1, method, params: given };
        const reply = JSON.parse((await rpc.answer(JSON.stringify(message), caller))!) as Record<
          string,
          unknown
        >;
        assert.ok(isOlder ? typeof reply['result'] === 'string' : 'result' in reply !== 'error' in reply);
      }),
      runs,
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (text) => {
        const reply = await rpc.answer(text, caller);
        if (reply !== null) JSON.parse(reply);
      }),
      runs,
    );
  });

  test('aria2', async () => {
    const rpc = new Aria2Rpc(twin.ports);
    const method = fc.oneof(
      fc.constantFrom(...Object.keys(aria2Looks), ...Object.keys(aria2Verbs), 'system.multicall'),
      fc.string(),
    );
    const call = fc.record({ method, params: fc.oneof(fc.array(value()), value()) });
    const access = { findCaller: async () => caller, isReadOnly: false };
    await fc.assert(
      fc.asyncProperty(call, async ({ method, params }) => {
        await refill();
        const { body } = await rpc.answerMessage({ jsonrpc: '2.0', id: 1, method, params }, access);
        assert.ok(JSON.stringify(body).length > 0);
      }),
      runs,
    );
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (message) => {
        assert.ok((await rpc.answerMessage(message, access)).body !== undefined);
      }),
      runs,
    );
  });

  test('qBittorrent', async () => {
    const actions = { ...apiLooks, ...apiVerbs };
    const state = new CallerState();
    const keys =
      `hash hashes id priority category savePath tags urls json ruleDef ruleName path url location name
      limit value oldPath newPath peers mode ratioLimit origUrl newUrl deleteFiles filter sort offset rid indexes
      itemPath destPath refreshInterval last_known_id dirPath source sourcePath taskID file trackers format`.split(
        /\s+/,
      );
    const text = fc.oneof(
      value().map((item) => (typeof item === 'string' ? item : JSON.stringify(item))),
      fc.string(),
    );
    const request = fc.record({
      action: fc.constantFrom(...Object.keys(actions)),
      params: fc.dictionary(fc.constantFrom(...keys), text, { minKeys: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ action, params }) => {
        await refill();
        const form = new Form(
          new Map([['hash', sample.infoHash], ['hashes', 'all'], ...Object.entries(params)]),
        );
        try {
          await actions[action]!(apiCall(twin, { form, caller, state }));
        } catch (error) {
          // Throws on what is no refusal.
          assert.ok(apiErrorOf(error).status >= 400);
        }
      }),
      { numRuns: 1500 },
    );
  });
});
