/**
 * `npm run web [dev]`: builds the web page into `packages/web/dist`, where the node finds it; or serves it while it is
 * being worked on, with what it asks going to the node at `TEQUIO_NODE` (http://127.0.0.1:27270).
 */
import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, env, stdout } from 'node:process';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build, createServer, type InlineConfig } from 'vite';
import { projectRoot } from './tidy-files.ts';

/** Paths are relative: the page may lie below any base path. Nothing is inlined, as the page's policy forbids it. */
const config: InlineConfig = {
  root: join(projectRoot, 'packages/web'),
  configFile: false,
  base: './',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
};

/** The service worker is a file of its own: its place says what it serves, which is all of the page. */
const workerConfig: InlineConfig = {
  ...config,
  build: {
    ...config.build,
    emptyOutDir: false,
    copyPublicDir: false,
    rolldownOptions: {
      input: join(projectRoot, 'packages/web/src/pwa/service-worker.ts'),
      output: { entryFileNames: 'service-worker.js', format: 'iife' },
    },
  },
};

/** Builds the page anew. */
export async function buildPage(): Promise<void> {
  await build(config);
  await build(workerConfig);
  const folder = join(projectRoot, 'packages/web/dist');
  copyFlags(join(folder, 'flags'));
  for (const path of globSync('**/*.{js,css,html,svg}', { cwd: folder })) packTwins(join(folder, path));
}

/** Each is a file, and asked for when a peer of that country is seen. */
function copyFlags(folder: string): void {
  const from = join(projectRoot, 'node_modules/country-flag-icons/3x2');
  mkdirSync(folder, { recursive: true });
  for (const name of globSync('[A-Z][A-Z].svg', { cwd: from })) cpSync(join(from, name), join(folder, name));
}

/** The node sends packed twins as they are: nothing is packed while somebody waits. */
function packTwins(path: string): void {
  const bytes = readFileSync(path);
  if (bytes.length < 1024) return;
  writeFileSync(`${path}.br`, brotliCompressSync(bytes));
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
}

if (argv[1] === import.meta.filename) {
  if (argv[2] === 'dev') {
    const target = env['TEQUIO_NODE'] ?? 'http://127.0.0.1:27270';
    const server = await createServer({
      ...config,
      server: { proxy: { '/api': { target, changeOrigin: true } } },
    });
    await server.listen();
    server.printUrls();
  } else {
    await buildPage();
    stdout.write('packages/web/dist: built\n');
  }
}
