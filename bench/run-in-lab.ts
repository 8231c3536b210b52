import { tmpdir } from 'node:os';
import { stderr } from 'node:process';
import { canOpenLab, Lab } from '../e2e/lab/lab.ts';
import { versionOf } from '../e2e/lab/programs.ts';

/**
 * Runs a benchmark against libtorrent in a network of its own, which is gone afterwards.
 * @returns the exit code; 69, with a sentence, where that cannot be
 */
export async function runInLab(work: (lab: Lab) => Promise<void>): Promise<number> {
  if (!canOpenLab() || versionOf('libtorrent') === null) {
    stderr.write('bench: this needs Linux, root and python3-libtorrent.\n');
    return 69;
  }
  const lab = Lab.open(tmpdir());
  try {
    await work(lab);
    return 0;
  } finally {
    lab.close();
  }
}
