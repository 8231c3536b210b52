/**
 * `node bench/profile.ts [MIB] [OUT.svg]`: where the time of a download goes, as a flame graph. Needs what the
 * benchmark `download` needs. Threads that the process ends with itself write no profile: only the main one does.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv, execPath, exit, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { Lab } from '../e2e/lab/lab.ts';
import { LibtorrentPeer } from '../e2e/lab/libtorrent.ts';
import { programArguments } from '../e2e/lab/tequio.ts';
import { makeContent, mebibyte } from './content.ts';
import { tequioOptions } from './downloaders.ts';
import { type CpuProfile, drawFlame, frameOf } from './flame.ts';
import { libtorrentSettings, newestLibtorrent } from './libtorrents.ts';

const usualOut = fileURLToPath(new URL('../docs/images/performance/download.svg', import.meta.url));
const [mib = '1024', out = usualOut] = argv.slice(2);
const intervalUs = 500;
const timeoutMs = 120_000;

/** The profiles of all threads, the main one first. */
async function profileDownload(lab: Lab, bytes: number): Promise<readonly CpuProfile[]> {
  const { folder, torrentFile } = await makeContent(lab.folder, 'source', { bytes, pieceBytes: mebibyte });
  const { python } = newestLibtorrent();
  const seeder = await LibtorrentPeer.start(lab.addHost('seeder'), libtorrentSettings, null, python);
  await seeder.seed(torrentFile, folder, [], timeoutMs);
  const host = lab.addHost('tequio');
  const profiles = join(host.folder, 'profiles');
  const flags = ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-interval=${intervalUs}`];
  const places = ['--to', join(host.folder, 'got'), '--data', join(host.folder, 'data')];
  const get = ['get', torrentFile, ...places, '--peer', seeder.endpoint, ...tequioOptions];
  const running = host.run(execPath, [...flags, ...programArguments, ...get]);
  const { code } = await running.wait(timeoutMs);
  if (code !== 0) throw new Error(running.describe());
  // CPU.DATE.TIME.PID.THREAD.NUMBER.cpuprofile
  const threadOf = (name: string): number => Number(name.split('.')[4]);
  return readdirSync(profiles)
    .sort((a, b) => threadOf(a) - threadOf(b))
    .map((name) => JSON.parse(readFileSync(join(profiles, name), 'utf8')) as CpuProfile);
}

const lab = Lab.open();
try {
  const profiles = await profileDownload(lab, Number(mib) * mebibyte);
  const threads = profiles.map((profile, i) =>
    frameOf(profile, i === 0 ? 'main thread' : `disk thread ${i}`),
  );
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, drawFlame(`A download of ${mib} MiB`, threads));
  stdout.write(`${out}\n`);
} catch (error) {
  stderr.write(`profile: ${String(error)}\n`);
  exit(1);
} finally {
  lab.close();
}
