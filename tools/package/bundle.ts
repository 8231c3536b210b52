import { type OutputChunk, type Plugin, rolldown } from 'rolldown';
import { projectRoot } from '../tidy-files.ts';

/** What the published package is entered by: the program, the library, and the threads that they start by file. */
const entries: Readonly<Record<string, string>> = {
  tequio: 'bin/tequio.ts',
  library: 'packages/tequio/src/index.ts',
  'disk-worker': 'packages/runtime/src/disk-worker.ts',
};

export type Bundle = {
  /** Files written, by name in the folder. */
  readonly fileNames: readonly string[];
  /** Folders of other people's packages that went in. */
  readonly packageFolders: readonly string[];
};

/**
 * Makes JavaScript of the sources and of what they use, in one flat folder: threads look for their file beside
 * themselves. Names are kept as they are, so that a stack trace that a user sends can be read.
 */
export async function writeBundle(folder: string): Promise<Bundle> {
  const bundle = await rolldown({
    cwd: projectRoot,
    input: entries,
    platform: 'node',
    external: (id) => id.startsWith('node:') || isNative(id),
    plugins: [lateRequire],
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(`the bundler warns: ${log.message}`);
    },
  });
  const { output } = await bundle.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    comments: { legal: true, annotation: true, jsdoc: false },
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: false } },
  });
  await bundle.close();
  const chunks = output.filter((file): file is OutputChunk => file.type === 'chunk');
  const modules = chunks.flatMap(({ moduleIds }) => moduleIds);
  return {
    fileNames: output.map(({ fileName }) => fileName),
    packageFolders: [...new Set(modules.flatMap(packageFolderOf))].sort(),
  };
}

/** `createRequire(import.meta.url)('x')` loads x when it is first needed; the bundler knows that as `require('x')`. */
const lateRequire: Plugin = {
  name: 'late-require',
  transform: {
    filter: { code: 'createRequire(import.meta.url)(' },
    handler: (code) => code.replace(/createRequire\(import\.meta\.url\)\(/g, 'require('),
  },
};

/**
 * WebRTC stays a package of its own, which npm installs where there is one for the machine: it has a native part for
 * each, and a licence (MPL-2.0) that keeps its files apart.
 */
function isNative(id: string): boolean {
  return id === 'node-datachannel' || id.startsWith('node-datachannel/');
}

function packageFolderOf(moduleId: string): string[] {
  const match = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(moduleId.replace(/^\0/, ''));
  return match === null ? [] : [match[0]];
}
