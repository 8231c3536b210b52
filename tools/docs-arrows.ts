import { applicationRooms, binRule, packageRules, type RoomRule, workshopRule } from './layers-rules.ts';

/** The rules of tools/layers-rules.ts as a table. */
export function arrowsTable(): string {
  const rows: [string, RoomRule][] = [
    ...Object.entries(packageRules)
      .slice(0, 4)
      .map(([name, rule]): [string, RoomRule] => [`\`${name}\``, rule]),
    ...Object.entries(applicationRooms).map(([name, rule]): [string, RoomRule] => [
      applicationRoomNames[name]!,
      rule,
    ]),
    ...Object.entries(packageRules)
      .slice(4)
      .map(([name, rule]): [string, RoomRule] => [`\`${name}\``, rule]),
    ['`bin/tequio.ts`', binRule],
    ['`tools/`, `bench/`, `e2e/`', workshopRule],
  ];
  const head =
    '| room | imports | node: | world | waits | because |\n| --- | --- | --- | --- | --- | --- |\n';
  return head + rows.map(([name, rule]) => row(name, rule)).join('');
}

const applicationRoomNames: Readonly<Record<string, string>> = {
  contract: 'application `contract.ts`, `contract-*.ts`',
  furniture: 'application `options.ts`, `limits.ts`, `faults.ts`, `metrics.ts`',
  wire: 'application `wire/`',
  core: 'application `core/`',
  shell: 'application `shell/`',
  service: 'application `index.ts` and what else is in `src/`',
};

function row(name: string, rule: RoomRule): string {
  const own = rule.own.map((room) => (room === 'furniture' ? 'limits, faults, …' : `its ${room}`));
  const imports = [...rule.packages, ...own].join(', ') || 'nothing';
  const yes = (fact: boolean): string => (fact ? 'yes' : 'no');
  return `| ${name} | ${imports} | ${rule.node} | ${yes(rule.world)} | ${yes(!rule.sync)} | ${rule.why} |\n`;
}
