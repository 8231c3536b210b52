import type { DemoMember, DemoSwarm } from './demo-swarm.ts';
import type { Messages } from './messages/en.ts';
import { renderPieceMap } from './piece-map.ts';
import type { LineStyle } from './progress-bar.ts';
import { formatBytes, percentOf } from './size-text.ts';
import { fitText, widthOf } from './text-width.ts';

/** What `formatBytes` gives at most. */
const widestSize = '1023 KiB';
const mapColumnsMin = 24;
const mapColumnsMax = 64;

/**
 * Who has which pieces: a line for each process, or two on a narrow terminal.
 *
 *   seed    ████████████████████████  sent 1.20 MiB
 *   peer 1  ██░·▓█··██▒·█░·██··█▓·█·   48 %  seed ~310 KiB, others ~290 KiB
 */
export function renderSwarm(swarm: DemoSwarm, style: LineStyle): string[] {
  const { columns, colors, messages } = style;
  const paints = [colors.green, colors.cyan, colors.magenta, colors.yellow];
  const rows = swarm.members.map((member) => ({ member, text: describeMember(member, swarm, messages) }));
  const nameColumns = Math.max(...rows.map(({ member }) => widthOf(member.name))) + 2;
  // As wide as the text can become, so that the map does not move while figures grow.
  const textColumns = widthOf(messages.demo.row(' 99 %', widestSize, widestSize));
  const room = columns - nameColumns - 2 - textColumns;
  const isWide = room >= mapColumnsMin;
  const mapColumns = Math.max(1, Math.min(mapColumnsMax, isWide ? room : columns - nameColumns));
  return rows.flatMap(({ member, text }, index) => {
    const name = member.name + ' '.repeat(nameColumns - widthOf(member.name));
    const map = renderPieceMap(member.pieces.bytes, member.pieces.bitCount, mapColumns);
    const line = name + paints[index % paints.length]!(map);
    return isWide ? [`${line}  ${text}`] : [line, fitText(' '.repeat(nameColumns) + text, columns)];
  });
}

/** One process in words. */
export function describeMember(member: DemoMember, swarm: DemoSwarm, messages: Messages): string {
  const say = messages.demo;
  if (member.isSeed) return say.seedRow(formatBytes(member.uploadedBytes));
  const percent = `${percentOf(member.pieces.setCount, member.pieces.bitCount)} %`.padStart(5);
  const fromSeed = swarm.fromSeedBytes(member);
  return say.row(percent, formatBytes(fromSeed), formatBytes(member.downloadedBytes - fromSeed));
}
