/** Flame graphs from the CPU profiles that Node.js writes (`--cpu-prof`): one file a thread, all in one picture. */

/** The parts of a .cpuprofile that are read (the inspector's `Profiler.Profile`; times in microseconds). */
export type CpuProfile = {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

/** A function as it was called from where it stands. Times in milliseconds, those below it included. */
export type Frame = {
  readonly name: string;
  readonly kind: FrameKind;
  readonly ms: number;
  readonly below: Frame[];
};

type FrameKind = 'ours' | 'node' | 'machine' | 'thread';

const colors: Readonly<Record<FrameKind, string>> = {
  ours: '#ea580c',
  node: '#0891b2',
  machine: '#64748b',
  thread: '#d6d3d1',
};
const width = 1200;
const rowHeight = 18;
/** Narrower ones are left out. */
const leastWidth = 3;
const charWidth = 6.6;

/** What one thread did, idle time left out; the same function called from the same place is one frame. */
export function frameOf(profile: CpuProfile, thread: string): Frame {
  const selfMs = new Map<number, number>();
  profile.samples.forEach((id, i) => {
    selfMs.set(id, (selfMs.get(id) ?? 0) + Math.max(0, profile.timeDeltas[i] ?? 0) / 1000);
  });
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const build = (id: number): Frame | null => {
    const { callFrame, children = [] } = byId.get(id)!;
    if (callFrame.functionName === '(idle)') return null;
    const named = nameOf(callFrame.functionName, callFrame.url);
    const called = children.flatMap((child) => build(child) ?? []);
    const ms = (selfMs.get(id) ?? 0) + called.reduce((sum, frame) => sum + frame.ms, 0);
    // What calls itself is one frame: modules that load modules would be a picture of their own.
    const below = called.flatMap((frame) => (frame.name === named.name ? frame.below : [frame]));
    return ms === 0 ? null : { ...named, ms, below: merge(below) };
  };
  const root = build(profile.nodes[0]!.id);
  return { name: thread, kind: 'thread', ms: root?.ms ?? 0, below: root?.below ?? [] };
}

function nameOf(functionName: string, url: string): { readonly name: string; readonly kind: FrameKind } {
  const name = functionName || '(anonymous)';
  const file = url.split('/').at(-1) ?? '';
  if (/^node:internal\/(?:modules|process\/(?:execution|esm_loader))/.test(url))
    return { name: 'loading modules', kind: 'node' };
  if (url.startsWith('node:')) return { name: `${name} ${url}`, kind: 'node' };
  if (url === '') return { name, kind: name.startsWith('(') && name !== '(anonymous)' ? 'machine' : 'node' };
  return { name: `${name} ${file}`, kind: 'ours' };
}

function merge(frames: readonly Frame[]): Frame[] {
  const byName = new Map<string, Frame>();
  for (const frame of frames) {
    const same = byName.get(frame.name);
    byName.set(
      frame.name,
      same === undefined
        ? frame
        : { ...frame, ms: same.ms + frame.ms, below: merge([...same.below, ...frame.below]) },
    );
  }
  return [...byName.values()].sort((a, b) => b.ms - a.ms);
}

/** Threads side by side, callers above what they call, widest first. */
export function drawFlame(title: string, threads: readonly Frame[]): string {
  const totalMs = threads.reduce((sum, { ms }) => sum + ms, 0);
  const parts: string[] = [];
  let depth = 0;
  const draw = (frame: Frame, x: number, row: number): void => {
    const w = (frame.ms / totalMs) * width;
    if (w < leastWidth) return;
    depth = Math.max(depth, row);
    const y = 34 + row * rowHeight;
    const share = `${((100 * frame.ms) / totalMs).toFixed(1)} %`;
    const label = row === 0 ? `${frame.name} ${share}` : frame.name;
    const fits = Math.floor((w - 6) / charWidth);
    const shown = fits < 3 ? '' : label.length <= fits ? label : `${label.slice(0, fits - 1)}…`;
    const tip = `${frame.name}: ${frame.ms.toFixed(0)} ms, ${share}`;
    const box = `x="${x.toFixed(1)}" y="${y}" width="${Math.max(1, w - 0.5).toFixed(1)}" height="${rowHeight - 1}"`;
    const text = `<text x="${(x + 3).toFixed(1)}" y="${y + 12.5}">${escaped(shown)}</text>`;
    const words = shown === '' ? '' : text;
    parts.push(`<g><title>${escaped(tip)}</title><rect ${box} fill="${colors[frame.kind]}"/>${words}</g>`);
    let at = x;
    for (const child of frame.below) {
      draw(child, at, row + 1);
      at += (child.ms / totalMs) * width;
    }
  };
  let at = 0;
  for (const thread of threads) {
    draw(thread, at, 0);
    at += (thread.ms / totalMs) * width;
  }
  const height = 34 + (depth + 1) * rowHeight + 8;
  const style = 'font-family="sans-serif" font-size="11"';
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ${style}>`;
  const legend = 'orange: ours · blue: Node.js · grey: the machine (garbage, compiling, the system)';
  const caption = `<text x="4" y="20" font-size="14">${escaped(`${title}: ${totalMs.toFixed(0)} ms (${legend})`)}</text>`;
  const ground = `<rect width="${width}" height="${height}" fill="#ffffff"/>`;
  return `${head}\n<title>${escaped(title)}</title>\n${ground}\n${caption}\n${parts.join('\n')}\n</svg>\n`;
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
