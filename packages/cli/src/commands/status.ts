import type { NatReachability, NatWay, NodeStatus } from '@tequio/api';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { addNodeOptions, type NodeFlags, settingsOf } from '../node-flags.ts';
import { createOptionParsers } from '../option-parsers.ts';
import { findDaemon, Pause, type Session, withNode } from '../session.ts';

type StatusFlags = NodeFlags & { readonly for?: number };

const usualMs = 10_000;

/** `status`: whether others reach this node, how that is known, and what to do. */
export function defineStatus(command: Command, session: Session): void {
  const { help } = session.messages;
  const parsers = createOptionParsers(session.messages);
  command.option('--for <seconds>', help.status.duration, parsers.seconds);
  addNodeOptions(command, session, parsers);
  const { summary, notes, examples } = help.status;
  addHelp(command, session, { summary, notes, examples });
  command.action(async (flags: StatusFlags) => session.finish(await runStatus(flags, session)));
}

async function runStatus(flags: StatusFlags, session: Session): Promise<ExitCode> {
  const { output, messages, interrupt, world } = session;
  const daemon = await findDaemon(session);
  if (daemon !== null) {
    const { port, reachability, dht } = await interrupt.race(daemon.client.status.status());
    tell({ port, reachability, dht, routers: [] }, session);
    return exitCodes.done;
  }
  const lookMs = flags.for ?? usualMs;
  await withNode(session, settingsOf(flags, session), async (node) => {
    output.note(messages.status.looking(lookMs / 1000));
    const pause = new Pause(session);
    const endMs = world.nowMs() + lookMs;
    // Who asks to stop is told what is known by then.
    while (!interrupt.isSet && world.nowMs() < endMs) await pause.wait(endMs - world.nowMs());
    const { port, dht } = node.bittorrent;
    const routers = node.nat?.status().ways ?? [];
    const reachability = await node.reachability();
    tell({ port, reachability, dht: dht?.status() ?? null, routers }, session);
  });
  return interrupt.isSet ? exitCodes.interrupted : exitCodes.done;
}

type Standing = Pick<NodeStatus, 'port' | 'reachability' | 'dht'> & { readonly routers: readonly NatWay[] };

function tell({ port, reachability, dht, routers }: Standing, session: Session): void {
  const { output, messages } = session;
  const { status: say } = messages;
  const nodeCount = dht?.families.reduce((sum, { contactCount }) => sum + contactCount, 0) ?? null;
  const advice = adviceOf(reachability);
  output.json({
    type: 'status',
    port,
    reachability,
    advice: advice.map(({ advice, ways }) => ({ advice, ways, text: say.advice[advice] })),
    routers,
    dht: nodeCount === null ? null : { nodeCount },
  });
  const rows: (readonly [string, string])[] = [[say.port, port === 0 ? say.noPort : String(port)]];
  for (const one of reachability) rows.push([nameOf(one), sentenceOf(one, session)]);
  rows.push([say.dht, nodeCount === null ? say.dhtOff : say.dhtNodes(nodeCount)]);
  for (const { advice: what, ways } of advice)
    rows.push([say.todo, say.because(ways.join(', '), say.advice[what])]);
  const columns = Math.max(...rows.map(([label]) => label.length)) + 2;
  for (const [label, text] of rows) output.result(label.padEnd(columns) + text);
}

function nameOf({ family, transport }: NatReachability): string {
  return `IPv${family} ${transport.toUpperCase()}`;
}

function sentenceOf(one: NatReachability, { messages: { status: say } }: Session): string {
  const state = say.states[one.state];
  const isOut = one.state === 'closed' || one.state === 'unknown';
  const where = one.endpoint === null || isOut ? state : say.at(state, one.endpoint);
  return say.because(where, say.basis[one.basis]);
}

type Advice = {
  readonly advice: Exclude<NatReachability['advice'], 'none'>;
  /** To which it applies, as they are shown. */
  readonly ways: string[];
};

/** Each piece of advice once. */
function adviceOf(reachability: readonly NatReachability[]): readonly Advice[] {
  const found: Advice[] = [];
  for (const one of reachability) {
    const { advice } = one;
    if (advice === 'none') continue;
    const same = found.find((other) => other.advice === advice);
    if (same === undefined) found.push({ advice, ways: [nameOf(one)] });
    else same.ways.push(nameOf(one));
  }
  return found;
}
