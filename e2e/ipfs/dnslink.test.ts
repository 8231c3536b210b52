/**
 * Domains as sites: the gateway of a node on a host of its own is asked for a domain by the request's host, and asks a
 * name server of ours what it shows.
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { env, execPath } from 'node:process';
import { test } from 'node:test';
import { canOpenLab, Lab } from '../lab/lab.ts';
import { NameServer } from '../lab/name-server.ts';
import { cleanEnvironment } from '../lab/running.ts';
import { programArguments, runTequio } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';

const skip =
  !canOpenLab() && env['TEQUIO_REQUIRE_PEERS'] !== '1' ? 'needs root and network namespaces' : false;

type Shown = { readonly status: number; readonly text: string };

/** A page of whatever host. */
function ask(address: string, host: string, path: string): Promise<Shown> {
  return new Promise((resolve, reject) => {
    get({ host: address, port: 8080, path, headers: { host }, timeout: 60_000 }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => void (text += part));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text })).on('error', reject);
    }).on('error', reject);
  });
}

test('a domain that is named in the settings is a site, another one is not even looked up', {
  skip,
  timeout: 200_000,
}, async (t) => {
  const lab = Lab.open();
  t.after(() => lab.close());
  const names = await NameServer.start(lab.address);
  t.after(() => names.close());
  const host = lab.addHost('node');
  host.useNameServer(lab.address);
  const data = join(host.folder, 'data');
  mkdirSync(data);
  const site = join(host.folder, 'site');
  mkdirSync(site);
  writeFileSync(join(site, 'index.html'), '<h1>a site</h1>');
  writeFileSync(join(site, 'page.txt'), 'a page');
  const domains = '["example.test", "*.sites.test"]';
  const config = `gateway = "${host.address}:8080"\ngatewayDomains = ${domains}`;
  writeFileSync(join(data, 'config.toml'), `version = 1\n[ipfs]\n${config}\n[overlay]\nenabled = false\n`);
  const added = await runTequio(['ipfs', 'add', '-r', '-Q', site, '--data', data], host.folder);
  const root = added.stdout.trim();
  match(root, /^baf\w+$/, added.stderr);
  names.texts.set('_dnslink.example.test', ['v=other', `dnslink=/ipfs/${root}`]);
  names.texts.set('docs.sites.test', [`dnslink=/ipns/example.test`]);
  names.texts.set('_dnslink.elsewhere.test', [`dnslink=/ipfs/${root}`]);
  const alone = ['--port', '0', '--no-dht', '--no-lsd', '--no-port-mapping', '--bind', host.address];
  const args = ['run', '--json', '--data', data, '--http', '127.0.0.1:0', ...alone];
  const node = host.run(execPath, [...programArguments, ...args], { env: cleanEnvironment(host.folder) });
  await until('the gateway answers', 60_000, async () => {
    node.assertRunning();
    return (await ask(host.address, host.address, '/ipfs/')).status > 0;
  });

  deepEqual(await ask(host.address, 'example.test', '/'), { status: 200, text: '<h1>a site</h1>' });
  deepEqual(await ask(host.address, 'example.test:8080', '/page.txt'), { status: 200, text: 'a page' });
  equal((await ask(host.address, 'example.test', '/none')).status, 404);
  // Over a second name, which says it without a name before it.
  deepEqual(await ask(host.address, 'docs.sites.test', '/page.txt'), { status: 200, text: 'a page' });
  // On a shared origin a name can be asked for by its path, whatever is a site.
  deepEqual(await ask(host.address, host.address, '/ipns/elsewhere.test/page.txt'), {
    status: 200,
    text: 'a page',
  });
  names.asked.length = 0;
  equal((await ask(host.address, 'elsewhere.test', '/page.txt')).status, 404);
  equal((await ask(host.address, 'example.test.evil.test', '/')).status, 404);
  deepEqual(names.asked, [], 'who sends a request makes this node ask for nothing');
  // What was asked for once is known for a while.
  for (let i = 0; i < 20; i++) equal((await ask(host.address, 'example.test', '/page.txt')).status, 200);
  ok(names.asked.length <= 2, names.asked.join());
  equal((await ask(host.address, 'silent.sites.test', '/')).status, 404);
  await node.stop('SIGINT');
});
