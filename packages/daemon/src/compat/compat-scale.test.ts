/** A hundred thousand torrents: what foreign user interfaces ask again and again stays cheap. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { CompatCaller } from './compat-caller.ts';
import { CallerState } from './qbittorrent/caller-state.ts';
import { Form } from './qbittorrent/form.ts';
import { MainData } from './qbittorrent/main-data.ts';
import { apiCall } from './testing/api-call.ts';
import { makeSample } from './testing/sample-torrent.ts';
import { TwinNode } from './testing/twin-node.ts';
import { TransmissionRpc } from './transmission/transmission-rpc.ts';

const count = 100_000;

suite('a hundred thousand torrents', () => {
  let twin: TwinNode;
  let caller: CompatCaller;
  const ids: string[] = [];

  before(async () => {
    twin = await TwinNode.open();
    const sample = await makeSample(twin.node);
    sample.remove();
    const { id } = await twin.torrents.add({ source: { torrent: sample.bytes } });
    const first = twin.torrents.book.get(id)!;
    for (let index = 0; index < count - 1; index++) {
      const other = index.toString(16).padStart(40, '0');
      ids.push(other);
      twin.torrents.book.set(other, {
        ...first,
        row: { ...first.row, id: other, infoHashV1: other, name: `n${index}` },
      });
    }
    caller = { identity: { user: null, scope: 'admin' }, management: twin.node.management! };
  });
  after(() => twin.close());

  test('qBittorrent: after the first answer only what changes is sent', async () => {
    const state = new CallerState();
    const main = new MainData();
    const next = (rid: number): Promise<Record<string, unknown>> =>
      main.next(apiCall(twin, { form: new Form(new Map([['rid', String(rid)]])), caller, state }));
    const all = await next(0);
    assert.equal(Object.keys(all['torrents'] as object).length, count);
    assert.deepEqual(await next(1), { rid: 2 });
    for (const id of ids.slice(0, 10)) twin.torrents.change(id, { downRate: 7 });
    const some = JSON.stringify(await next(2));
    // Ten whole rows at most, for what was sent long ago is not remembered field by field.
    assert.ok(some.length < 25_000, `${some.length}`);
  });

  test('Transmission: recently active ones alone are told of', async () => {
    const rpc = new TransmissionRpc(twin.ports);
    const ask = async (params: object): Promise<unknown[]> => {
      const request = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'torrent_get', params });
      return JSON.parse((await rpc.answer(request, caller))!).result.torrents;
    };
    assert.equal((await ask({ fields: ['id', 'name', 'status', 'percent_done'] })).length, count);
    twin.nowMs += 61_000;
    twin.torrents.change(ids[5]!, { downRate: 1 });
    assert.deepEqual(await ask({ ids: 'recently_active', fields: ['name'] }), [{ name: 'n5' }]);
  });
});
