/** `npm run bench -- NAME [options]`: runs one of the benchmarks in this folder. */
import { argv, exit, stderr } from 'node:process';

const benchmarks: Readonly<Record<string, () => Promise<{ run(args: readonly string[]): Promise<number> }>>> =
  {
    download: () => import('./download.ts'),
    dht: () => import('./dht.ts'),
    magnet: () => import('./magnet.ts'),
    utp: () => import('./utp.ts'),
  };

const [name = '', ...args] = argv.slice(2);
const load = benchmarks[name];
if (load === undefined) {
  stderr.write(`bench: which one? ${Object.keys(benchmarks).join(', ')}\n`);
  exit(2);
}
exit(await (await load()).run(args));
