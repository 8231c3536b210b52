import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../tidy-files.ts';
import { buildPage } from '../web.ts';
import { writeBundle } from './bundle.ts';
import { renderLicences } from './licences.ts';
import { writeTypes } from './types.ts';

/** Which addresses were given to which country. */
const countryFile = 'geo-whois-asn-country.mmdb';

/**
 * Writes the folder that `npm publish` takes: JavaScript with everything inside, types, and no dependency but those
 * with native parts. Nothing runs when it is installed.
 */
export async function writeNpmFolder(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const { packageFolders } = await writeBundle(join(folder, 'lib'));
  writeTypes(join(folder, 'types'));
  copyFileSync(join(projectRoot, 'tools/package/launcher.mjs'), join(folder, 'bin/tequio.mjs'));
  chmodSync(join(folder, 'bin/tequio.mjs'), 0o755);
  for (const name of ['LICENSE', 'CHANGELOG.md']) copyFileSync(join(projectRoot, name), join(folder, name));
  copyFileSync(join(projectRoot, 'packages/tequio/README.md'), join(folder, 'README.md'));
  await buildPage();
  cpSync(join(projectRoot, 'packages/web/dist'), join(folder, 'web'), { recursive: true });
  mkdirSync(join(folder, 'data'));
  copyFileSync(
    join(projectRoot, 'node_modules/@ip-location-db/geo-whois-asn-country-mmdb', countryFile),
    join(folder, 'data', countryFile),
  );
  writeFileSync(
    join(folder, 'LICENSES-OF-OTHERS.md'),
    renderLicences([...packageFolders, ...pagePackages()]),
  );
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
}

/** Those whose code is in the page. */
function pagePackages(): string[] {
  const { dependencies } = JSON.parse(
    readFileSync(join(projectRoot, 'packages/web/package.json'), 'utf8'),
  ) as { readonly dependencies: Readonly<Record<string, string>> };
  return [...Object.keys(dependencies), '@preact/signals-core'].map((name) =>
    join(projectRoot, 'node_modules', name),
  );
}

/** Native parts, without which all works where there are none for the machine: WebRTC, QUIC, datagrams in batches. */
function nativePackages(): Readonly<Record<string, string>> {
  const read = (name: string): { version: string; optionalDependencies: Record<string, string> } =>
    JSON.parse(readFileSync(join(projectRoot, 'node_modules', name, 'package.json'), 'utf8'));
  return {
    ...read('@tequio/runtime').optionalDependencies,
    'node-datachannel': read('node-datachannel').version,
    ...read('@chainsafe/libp2p-quic').optionalDependencies,
  };
}

function manifest(): object {
  const { name, version, description, license } = JSON.parse(
    readFileSync(join(projectRoot, 'package.json'), 'utf8'),
  ) as Record<string, string>;
  return {
    name,
    version,
    description,
    license,
    keywords: ['bittorrent', 'torrent', 'p2p', 'dht', 'magnet', 'utp', 'tracker'],
    type: 'module',
    bin: { tequio: 'bin/tequio.mjs' },
    exports: { '.': { types: './types/tequio/src/index.d.ts', default: './lib/library.js' } },
    types: './types/tequio/src/index.d.ts',
    engines: { node: '>=24' },
    optionalDependencies: nativePackages(),
  };
}
