import type { NatHandle, NatPort, NatStatus, NatWay } from '@tequio/api';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { UsageError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { createOptionParsers } from '../option-parsers.ts';
import { printable } from '../printable.ts';
import { findDaemon, offlineSettings, Pause, type Session, withNode } from '../session.ts';

/** The slowest protocol gives up after seven seconds; a refused mapping is then asked for by the next. */
const settleMs = 12_000;
const tickMs = 3_600_000;

/** `nat status`, `nat map PORT`, `nat unmap PORT`: looks into the router and asks it for ports. */
export function defineNat(command: Command, session: Session): void {
  const { nat: help } = session.messages.help;
  const parsers = createOptionParsers(session.messages);
  addHelp(command, session, { summary: help.summary, notes: help.notes, examples: help.examples });
  const status = command.command('status', { isDefault: true });
  addHelp(status, session, { summary: help.status, examples: help.examples.slice(0, 1) });
  status.action(async () => session.finish(await runStatus(session)));
  const map = command
    .command('map')
    .argument('<port>', help.port, parsers.port)
    .option('--leave', help.leave);
  addHelp(map, session, { summary: help.map, examples: help.examples.slice(1, 2) });
  map.action(async (port: number, flags: { readonly leave?: boolean }) =>
    session.finish(await runMap(portsOf(port, session), flags.leave === true, session)),
  );
  const unmap = command.command('unmap').argument('<port>', help.port, parsers.port);
  addHelp(unmap, session, { summary: help.unmap, examples: help.examples.slice(2) });
  unmap.action(async (port: number) => session.finish(await runUnmap(portsOf(port, session), session)));
}

function portsOf(port: number, session: Session): readonly NatPort[] {
  if (port === 0) throw new UsageError(session.messages.usage.badPort('0'));
  return [
    { transport: 'tcp', port },
    { transport: 'udp', port },
  ];
}

/** As the node that is running knows it; where none asks its routers, they are asked now. */
async function runStatus(session: Session): Promise<ExitCode> {
  const daemon = await findDaemon(session);
  const known = daemon === null ? null : await session.interrupt.race(daemon.client.network.routers());
  if (known !== null) {
    tellStatus(session, 'status', known);
    return exitCodes.done;
  }
  await withNat(session, [], async (_, status) => tellStatus(session, 'status', status));
  return exitCodes.done;
}

/** Until Ctrl-C, or with `--leave` until the router has answered. */
async function runMap(ports: readonly NatPort[], leave: boolean, session: Session): Promise<ExitCode> {
  const { output, messages } = session;
  return withNat(session, ports, async (nat, status) => {
    tellStatus(session, 'map', status);
    if (!isMapped(status)) return exitCodes.unreachable;
    if (leave) {
      await nat.close({ keep: true });
      output.note(messages.nat.left);
      return exitCodes.done;
    }
    output.note(messages.nat.holding);
    const pause = new Pause(session);
    while (!session.interrupt.isSet) await pause.wait(tickMs);
    await nat.close();
    output.note(messages.nat.removed);
    return exitCodes.interrupted;
  });
}

/**
 * Asks once more for what an earlier run has left, and gives it back: so the router is told by the protocol, and
 * with the secret, that it knows.
 */
async function runUnmap(ports: readonly NatPort[], session: Session): Promise<ExitCode> {
  const { output, messages } = session;
  return withNat(session, ports, async (nat, status) => {
    const couldAsk = isMapped(status);
    await nat.close();
    output.json({ type: 'unmap', removed: couldAsk, ...status });
    if (couldAsk) output.result(messages.nat.removed);
    else tellStatus(session, 'unmap', status);
    return couldAsk ? exitCodes.done : exitCodes.unreachable;
  });
}

async function withNat<Value>(
  session: Session,
  ports: readonly NatPort[],
  work: (nat: NatHandle, status: NatStatus) => Promise<Value>,
): Promise<Value> {
  const { output, messages, interrupt } = session;
  return withNode(session, offlineSettings(session), async (node) => {
    const nat = await node.startNat({ ports });
    output.note(messages.nat.asking);
    await interrupt.race(nat.settle(settleMs));
    return work(nat, nat.status());
  });
}

function isMapped({ ways }: NatStatus): boolean {
  return ways.some(({ mappings }) => mappings.some(({ state }) => state === 'mapped'));
}

function tellStatus(session: Session, type: string, status: NatStatus): void {
  const { output, messages } = session;
  const advice = [...new Set(status.ways.map((way) => adviceOf(way, messages.nat)))];
  if (status.ways.length === 0) advice.push(messages.nat.noRouter);
  if (type !== 'unmap') output.json({ type, ...status, advice });
  for (const way of status.ways) tellWay(session, way);
  for (const sentence of advice) output.result(sentence);
}

function tellWay({ output, messages }: Session, way: NatWay): void {
  const say = messages.nat;
  const { family, local, gateway, isGuess } = way;
  output.result(say.way(family, local, gateway ?? say.unknown, isGuess ? say.guess : ''));
  for (const { protocol, state, detail } of way.protocols) {
    const words = state === 'found' ? printable(detail) : say.states[state];
    const reason = state === 'useless' ? `: ${printable(detail)}` : '';
    output.result(`  ${protocolNames[protocol].padEnd(9)}${words}${reason}`);
  }
  if (way.externalAddress !== null) output.result(say.external(way.externalAddress));
  for (const { transport, port, state, externalPort, reason } of way.mappings) {
    const what = `${transport.toUpperCase()} ${port}`;
    const where = way.family === 6 ? `[${local}]` : (way.externalAddress ?? '?');
    if (state === 'mapped') output.result(say.mapped(what, `${where}:${externalPort}`));
    else output.result(say.refused(what, reason === '' ? say.states.silent : printable(reason)));
  }
}

const protocolNames = { pcp: 'PCP', 'nat-pmp': 'NAT-PMP', upnp: 'UPnP' } as const;

function adviceOf(way: NatWay, say: Session['messages']['nat']): string {
  const isFound = way.protocols.some(({ state }) => state === 'found');
  if (way.isDoubleNat) return say.doubleNat;
  if (way.mappings.some(({ state }) => state === 'mapped')) return say.good(way.family);
  if (!isFound) return way.family === 4 ? say.switchOn : say.switchOn6;
  return way.mappings.length > 0 ? say.allRefused(way.family) : say.canMap(way.family);
}
