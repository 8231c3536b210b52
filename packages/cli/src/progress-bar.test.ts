import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import pc from 'picocolors';
import { en } from './messages/en.ts';
import { es } from './messages/es.ts';
import { describeTorrent, renderTorrent, renderWork } from './progress-bar.ts';
import { snapshotExample } from './testing/fake-node.ts';
import { widthOf } from './text-width.ts';

const colors = pc.createColors(false);
const busy = snapshotExample({
  name: 'debian-13.1.0-amd64-netinst.iso',
  doneBytes: 411_000_000,
  wantedBytes: 1_000_000_000,
  downRate: 12_900_000,
  upRate: 1_300_000,
  secondsLeft: 62,
  peerCount: 14,
  havePieceCount: 612,
  pieceCount: 1490,
});

function picture(columns: number, snapshot = busy, messages = en): string {
  return renderTorrent(snapshot, { columns, colors, messages }).join('\n');
}

test('a download, from wide to narrow', () => {
  assert.equal(
    picture(100),
    [
      'debian-13.1.0-amd64-netinst.iso                                                                 41 %',
      '  ━━━━━━━━━━━━━───────────────────  ↓ 12.3 MiB/s  1:02 left  14 peers  612/1490 pieces  ↑ 1.24 MiB/s',
    ].join('\n'),
  );
  assert.equal(
    picture(60),
    [
      'debian-13.1.0-amd64-netinst.iso                         41 %',
      '  ━━━━━━━━━──────────────  ↓ 12.3 MiB/s  1:02 left  14 peers',
    ].join('\n'),
  );
  assert.equal(picture(30), ['debian-13.1.0-amd64-neti… 41 %', '  ━━━━━╸────────  ↓ 12.3 MiB/s'].join('\n'));
  assert.equal(picture(12), ['debian… 41 %', '  ━━━━──────'].join('\n'));
});

test('the other states', () => {
  assert.equal(
    picture(
      70,
      snapshotExample({
        state: 'metadata',
        trackers: [
          {
            url: 'udp://a.example:1',
            tier: 0,
            state: 'failed',
            message: 'no answer',
            peerCount: 0,
            seedCount: null,
            leechCount: null,
            nextAnnounceMs: null,
          },
        ],
      }),
    ),
    [
      'album',
      '  asking peers for the description of the torrent  0 peers',
      '  no peer yet · tracker udp://a.example:1: no answer',
    ].join('\n'),
  );
  assert.equal(
    picture(60, snapshotExample({ state: 'checking', checked: 0.5 })),
    [
      'album                                                    0 %',
      '  ━━━━━━━━━━━━━━╸──────────────  checking what is here: 50 %',
    ].join('\n'),
  );
  assert.match(
    picture(60, snapshotExample({ state: 'error', error: 'The disk is full.' })),
    /\n {2}The disk is full\.$/,
  );
  assert.match(
    picture(70, snapshotExample({ state: 'seeding', uploadedBytes: 2048, peerCount: 1 })),
    /\n {2}complete, sharing {2}↑ 0 B\/s {2}1 peer {2}sent 2\.00 KiB$/,
  );
});

test('in Spanish', () => {
  assert.match(picture(100, busy, es), /faltan 1:02 {2}14 pares {2}612\/1490 piezas/);
});

test('as a line for a log', () => {
  assert.equal(
    describeTorrent(busy, en),
    'debian-13.1.0-amd64-netinst.iso: 41 %, 392 MiB of 954 MiB, ↓ 12.3 MiB/s, 1:02 left, 14 peers, 612/1490 pieces, ↑ 1.24 MiB/s',
  );
});

test('work of known size', () => {
  const work = { label: 'hashing album', doneBytes: 3e6, totalBytes: 1e7, bytesPerSecond: 1e6 };
  assert.equal(
    renderWork(work, { columns: 70, colors, messages: en }).join('\n'),
    [
      'hashing album                                                     30 %',
      '  ━━━━━━━─────────────────  977 KiB/s  0:07 left  2.86 MiB of 9.54 MiB',
    ].join('\n'),
  );
  const stalled = renderWork({ ...work, bytesPerSecond: 0 }, { columns: 70, colors, messages: en });
  assert.ok(!stalled.join().includes('left'));
});

test('no line is ever wider than the terminal, whatever the name and the state', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 8, max: 200 }),
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.constantFrom('metadata', 'checking', 'downloading', 'seeding', 'paused', 'error'),
      fc.nat({ max: 1e12 }),
      (columns, name, state, bytes) => {
        const snapshot = snapshotExample({
          name,
          state,
          error: name,
          doneBytes: bytes,
          wantedBytes: 1e12,
          downRate: bytes,
          upRate: bytes,
          secondsLeft: bytes,
        });
        for (const line of renderTorrent(snapshot, { columns, colors, messages: en }))
          assert.ok(widthOf(line) <= columns, `${columns}: ${JSON.stringify(line)}`);
      },
    ),
    { numRuns: 300 },
  );
});
