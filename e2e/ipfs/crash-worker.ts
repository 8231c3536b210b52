/**
 * A process to be killed: adds, pins, unpins and collects in the folder that it is given, and says each thing when it
 * is done. `node crash-worker.ts FOLDER SEED`
 */
import { argv, stdout } from 'node:process';
import { importBytes, profiles } from '@tequio/ipfs';
import { Prng } from '@tequio/kernel';
import { openRepository, seededBytes } from './crash-repository.ts';

const [folder, seed] = [argv[2]!, Number(argv[3])];
const prng = new Prng(seed);
const { repository, ports } = await openRepository(folder);
const profile = profiles['unixfs-v0-2015'];

/** Synchronous, so that what was said was said before whatever comes next. */
function say(what: string, root: string): void {
  stdout.write(`${what} ${root}\n`);
}

async function add(): Promise<void> {
  const content = seededBytes(prng.below(2 ** 31), 1 + prng.below(1_500_000));
  const deps = { hashes: ports.hashes, blocks: repository.blocks };
  await repository.holding(async () => {
    const { cid } = await importBytes(deps, profile, content);
    await repository.pin(cid);
    say('pinned', cid.toString());
  });
}

function unpin(): void {
  const pins = repository.pins.list();
  if (pins.length < 3) return;
  const { cid } = pins[prng.below(pins.length)]!;
  say('unpinning', cid.toString());
  repository.unpin(cid);
}

say('ready', '-');
for (;;) {
  const works = Array.from({ length: 1 + prng.below(3) }, add);
  if (prng.below(3) === 0) works.push(repository.collect().then(() => say('collected', '-')));
  if (prng.below(2) === 0) unpin();
  await Promise.all(works);
}
