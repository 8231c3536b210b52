/** Transmission's bandwidth groups are the node's categories: docs/rpc-spec.md, section 4.8. */
import { invalidParams } from './rpc-error.ts';
import type { RpcMethod } from './session.ts';

const kilobytes = (rate: number | null): number => (rate === null ? 0 : Math.ceil(rate / 1000));

export const groupGet: RpcMethod = async ({ caller, args }) => {
  const named = args.raw('name');
  const names = named == null ? null : typeof named === 'string' ? [named] : args.texts('name');
  const categories = await caller.management.torrents.categories();
  return {
    group: categories
      .filter(({ name }) => names === null || names.includes(name))
      .map(({ name, limits }) => ({
        honors_session_limits: true,
        name,
        speed_limit_down: kilobytes(limits.down),
        speed_limit_down_enabled: limits.down !== null,
        speed_limit_up: kilobytes(limits.up),
        speed_limit_up_enabled: limits.up !== null,
      })),
  };
};

export const groupSet: RpcMethod = async ({ caller, args }) => {
  const name = args.text('name')?.trim() ?? '';
  if (name === '') throw invalidParams('no group name given');
  const { torrents } = caller.management;
  const known = (await torrents.categories()).find((category) => category.name === name);
  const limit = (way: 'down' | 'up'): number | null => {
    const [rate, isOn] = [args.number(`speed_limit_${way}`), args.flag(`speed_limit_${way}_enabled`)];
    const now = known?.limits[way] ?? null;
    if (isOn === false) return null;
    if (isOn === null && now === null) return null;
    return rate === null ? now : Math.max(1, Math.round(rate * 1000));
  };
  await torrents.putCategory({
    name,
    folder: known?.folder ?? null,
    finishedFolder: known?.finishedFolder ?? null,
    shareGoal: known?.shareGoal ?? null,
    limits: { down: limit('down'), up: limit('up') },
  });
  return {};
};
