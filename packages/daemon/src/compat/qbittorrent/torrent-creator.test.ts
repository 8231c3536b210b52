import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { compatCaller } from '../compat-caller.ts';
import { compatLimits } from '../compat-limits.ts';
import { apiCall } from '../testing/api-call.ts';
import { TwinNode } from '../testing/twin-node.ts';
import { ApiError } from './api-error.ts';
import { type ApiCall, CallerState } from './caller-state.ts';
import { Form } from './form.ts';
import { apiLooks, apiVerbs } from './qbittorrent-api.ts';

suite('files of the node’s machine', () => {
  let twin: TwinNode;
  before(async () => {
    twin = await TwinNode.open();
  });
  after(() => twin.close());

  const callOf = (scope: 'admin' | 'write', params: Readonly<Record<string, string>>): ApiCall => {
    const node = { ...twin.node, management: twin.node.management! };
    const caller = compatCaller(node, { user: 'ana', scope, by: 'key' });
    return apiCall(twin, {
      form: new Form(new Map(Object.entries(params))),
      caller,
      state: new CallerState(),
    });
  };
  const refusedWith = (status: number) => (error: unknown) =>
    error instanceof ApiError && error.status === status;

  test('only who may do everything has torrents made of them, and looks into folders', async () => {
    const params = { sourcePath: '/etc', taskID: 'a', dirPath: '/etc' };
    const names = ['app/getDirectoryContent', 'torrentcreator/status', 'torrentcreator/torrentFile'];
    for (const name of [...names, 'torrentcreator/addTask', 'torrentcreator/deleteTask']) {
      const action = apiLooks[name] ?? apiVerbs[name]!;
      await assert.rejects(action(callOf('write', params)), refusedWith(403), name);
    }
  });

  test('so many are remembered: one that has ended makes room, one that waits does not', async () => {
    const call = callOf('admin', { sourcePath: '/content', startSeeding: 'false' });
    const ends: (() => void)[] = [];
    const create = () => new Promise<never>((_, fail) => ends.push(() => fail(new Error('no matter'))));
    const waiting = { ...call, ports: { ...call.ports, create } };
    const add = async () => (await apiVerbs['torrentcreator/addTask']!(waiting)) as { taskID: string };
    const first = await add();
    for (let count = 1; count < compatLimits.creationCountMax; count++) await add();
    await assert.rejects(add(), refusedWith(409));
    ends[0]!();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    assert.throws(() => call.shared.creations.get('none'), refusedWith(404));
    assert.equal(call.shared.creations.get(first.taskID).state.is, 'Failed');
    await add();
    assert.throws(() => call.shared.creations.get(first.taskID), refusedWith(404));
    assert.equal(call.shared.creations.all().length, compatLimits.creationCountMax);
  });
});
