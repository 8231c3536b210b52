import { modernWord, olderKeys } from './dialect.ts';
import { invalidParams } from './rpc-error.ts';
import { chooseTorrents, type RpcCall, rowsOf, torrentsOf } from './session.ts';
import { olderFields, type TorrentField, torrentFields } from './torrent-fields.ts';
import { loadView, type TorrentView } from './torrent-view.ts';

type WantedField = { readonly name: string; readonly field: TorrentField };

/** `torrent_get`: docs/rpc-spec.md, section 3.3. */
export async function torrentGet(call: RpcCall): Promise<Record<string, unknown>> {
  const names = call.args.texts('fields');
  if (names === null) throw invalidParams('no fields specified');
  const fields = wantedFields(names, call.isOlder);
  const { ids, removed } = await chooseTorrents(call, call.args.raw('ids'));
  const rows = await rowsOf(call, ids);
  const { sharing } = await call.caller.management.settings.get();
  const parts = new Set(fields.flatMap(({ field }) => field.needs));
  const views: TorrentView[] = [];
  for (const row of rows) {
    const number = call.session.numbers.numberOf(row.id);
    const base = { row, number, shareGoal: sharing };
    views.push(await loadView(torrentsOf(call), call.session.metainfo, base, parts));
  }
  views.sort((a, b) => a.number - b.number);
  const read = ({ field }: WantedField, view: TorrentView): unknown =>
    call.isOlder ? olderKeys(field.read(view)) : field.read(view);
  const torrents =
    call.args.text('format') === 'table'
      ? [fields.map(({ name }) => name), ...views.map((view) => fields.map((wanted) => read(wanted, view)))]
      : views.map((view) => Object.fromEntries(fields.map((wanted) => [wanted.name, read(wanted, view)])));
  return removed === null ? { torrents } : { torrents, removed };
}

/** Those that there are, each once and called as it was asked for; others are passed over. */
function wantedFields(names: readonly string[], isOlder: boolean): readonly WantedField[] {
  return [...new Set(names)].flatMap((name) => {
    const word = isOlder ? modernWord(name) : name;
    const field = (isOlder && own(olderFields, word)) || own(torrentFields, word);
    return field ? [{ name, field }] : [];
  });
}

function own<Value>(table: Readonly<Record<string, Value>>, key: string): Value | null {
  return Object.hasOwn(table, key) ? table[key]! : null;
}
