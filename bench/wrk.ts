/** wrk, which asks over HTTP as fast as it is answered. */
import { spawn, spawnSync } from 'node:child_process';

/** Of Debian's package; null: it is not here. */
export function loadGenerator(): string | null {
  const said = spawnSync('wrk', ['--version'], { encoding: 'utf8' });
  if (said.error !== undefined) return null;
  return /wrk \S+/.exec(said.stdout + said.stderr)?.[0] ?? 'wrk';
}

export type HttpLoad = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Kept open; one request after the other on each. */
  readonly connectionCount: number;
  readonly seconds: number;
  /** Lua, which may choose what is asked: https://github.com/wg/wrk/blob/master/SCRIPTING. */
  readonly script?: string;
};

/** @throws Error when some answers say no, or connections fail */
export async function loadHttp(load: HttpLoad): Promise<{ readonly answers: number; readonly took: number }> {
  const { url, headers, connectionCount, seconds, script } = load;
  const child = spawn(
    'wrk',
    [
      ...['--threads', '1', '--connections', String(connectionCount)],
      ...['--duration', `${Math.ceil(seconds)}s`, '--timeout', '30s'],
      ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
      ...(script === undefined ? [] : ['--script', script]),
      url,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let words = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (words += text));
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [, answers, took] = /(\d+) requests in ([\d.]+)s/.exec(words) ?? [];
  if (answers === undefined || /Non-2xx|Socket errors/.test(words)) throw new Error(`wrk: ${words}`);
  return { answers: Number(answers), took: Number(took) };
}
