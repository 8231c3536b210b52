/**
 * The real Transmission, qBittorrent and aria2 and this project's daemon have the same torrent, complete, and are asked
 * the same questions. No field of theirs may be missing here or be of another type, unless it is named below with a
 * reason; and what a torrent is must be said with the same values. With TEQUIO_REQUIRE_PEERS=1 the comparison is
 * written to e2e/results/compat, from which docs/compat.md is made.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { env } from 'node:process';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Aria2Peer } from '../lab/aria2.ts';
import { makeContent, mixedFiles } from '../lab/content.ts';
import { canOpenLab, Lab } from '../lab/lab.ts';
import { LibtorrentTool } from '../lab/libtorrent.ts';
import type { LabPeer } from '../lab/peer.ts';
import { versionOf } from '../lab/programs.ts';
import { QbittorrentPeer } from '../lab/qbittorrent.ts';
import { TransmissionPeer } from '../lab/transmission.ts';
import { until } from '../lab/until.ts';
import { type Ask, aria2Client, qbittorrentClient, transmissionClient } from './api-clients.ts';
import { type ComparedCall, compareAnswers, type FieldComparison } from './compare.ts';
import { TequioDaemon } from './daemon.ts';
import { aria2Questions, type Question, qbittorrentQuestions, transmissionQuestions } from './questions.ts';

const resultsFolder = fileURLToPath(new URL('../results/compat/', import.meta.url));
const areRequired = env['TEQUIO_REQUIRE_PEERS'] === '1';
const needed = ['libtorrent', 'Transmission', 'qBittorrent', 'aria2'];
const missing = needed.filter((name) => versionOf(name) === null);
const reason =
  missing.length > 0
    ? `not installed here: ${missing.join(', ')} (.ci/peers installs it)`
    : canOpenLab()
      ? false
      : 'network namespaces need Linux and root';

suite('answers beside those of the real programs', { skip: areRequired ? false : reason }, () => {
  let lab: Lab;
  let tool: LibtorrentTool;
  let daemon: TequioDaemon;
  let file: string;
  let source: string;
  let infoHash: string;
  const started: LabPeer[] = [];

  before(async () => {
    lab = Lab.open();
    tool = new LibtorrentTool();
    source = `${lab.folder}/source`;
    makeContent(`${source}/mixed`, mixedFiles, 1);
    file = `${lab.folder}/mixed.torrent`;
    const made = await tool.create({
      path: `${source}/mixed`,
      out: file,
      version: 'v1',
      trackers: [`http://${lab.address}:9/announce`],
      pieceBytes: 32_768,
    });
    infoHash = made.infoHashV1!;
    daemon = await TequioDaemon.start(lab.folder, source);
    const ours = transmissionClient(daemon.origin, `any:${daemon.token}`);
    await ours('torrent-add', { metainfo: readFileSync(file).toString('base64'), 'download-dir': source });
    await until('the daemon has found the content', 20_000, async () => {
      const { torrents } = (await ours('torrent-get', { fields: ['status', 'percentDone'] })) as {
        torrents: { status: number; percentDone: number }[];
      };
      return torrents[0]?.status === 6 && torrents[0].percentDone === 1;
    });
  });
  after(async () => {
    for (const peer of started) await peer.stop();
    await daemon?.stop();
    await tool?.stop();
    lab?.close();
  });

  const compare = async (
    name: string,
    theirs: Ask,
    ours: Ask,
    questions: readonly Question[],
  ): Promise<void> => {
    const calls: ComparedCall[] = [];
    const failures: string[] = [];
    for (const question of questions) {
      const params = question.params?.({ infoHash, folder: source }) ?? {};
      const pick = question.pick ?? ((answer: unknown) => answer);
      const [their, our] = [await theirs(question.call, params), await ours(question.call, params)];
      const isSame = (field: string): boolean => question.same?.includes(field) ?? false;
      const fields = compareAnswers(pick(their), pick(our), isSame);
      calls.push({ call: question.call, fields });
      failures.push(
        ...fields
          .filter((field) => isFailure(question, field))
          .map((field) => `${question.call} ${field.field}: ${field.verdict}`),
      );
    }
    if (areRequired) writeResults(name, calls, questions);
    assert.deepEqual(failures, []);
  };

  test('Transmission', { timeout: 60_000 }, async () => {
    const host = lab.addHost('transmission');
    const peer = await TransmissionPeer.start(host);
    started.push(peer);
    await peer.seed(file, source);
    const theirs = transmissionClient(`http://${host.address}:9091`, null);
    await compare(
      'Transmission',
      theirs,
      transmissionClient(daemon.origin, `any:${daemon.token}`),
      transmissionQuestions,
    );
  });

  test('qBittorrent', { timeout: 60_000 }, async () => {
    const host = lab.addHost('qbittorrent');
    const peer = await QbittorrentPeer.start(host);
    started.push(peer);
    await peer.seed(file, source);
    const theirs = qbittorrentClient(`http://${host.address}:8080`, null);
    await compare(
      'qBittorrent',
      theirs,
      qbittorrentClient(daemon.origin, daemon.token),
      qbittorrentQuestions,
    );
  });

  test('aria2', { timeout: 60_000 }, async () => {
    const host = lab.addHost('aria2');
    const peer = new Aria2Peer(host);
    started.push(peer);
    await peer.seed(file, source);
    const theirs = aria2Client(`http://${host.address}:6800`, null);
    const [active] = (await theirs('aria2.tellActive')) as { gid: string }[];
    const withGid =
      (gid: string, ask: Ask): Ask =>
      (call, params = {}) =>
        ask(call, {
          list: ((params['list'] ?? []) as unknown[]).map((item) => (item === 'GID' ? gid : item)),
        });
    const ours = aria2Client(daemon.origin, daemon.token);
    await compare(
      'aria2',
      withGid(active!.gid, theirs),
      withGid(infoHash.slice(0, 16), ours),
      aria2Questions,
    );
  });
});

function isFailure(question: Question, { field, verdict }: FieldComparison): boolean {
  if (verdict === 'same' || verdict === 'type' || verdict === 'more') return false;
  return question.exceptions === undefined || !Object.hasOwn(question.exceptions, field);
}

function writeResults(name: string, calls: readonly ComparedCall[], questions: readonly Question[]): void {
  const exceptions = Object.assign({}, ...questions.map((question) => question.exceptions ?? {})) as object;
  mkdirSync(resultsFolder, { recursive: true });
  const results = { program: name, version: versionOf(name), calls, exceptions };
  writeFileSync(
    `${resultsFolder}answers-${name.toLowerCase()}.json`,
    `${JSON.stringify(results, null, 2)}\n`,
  );
}
