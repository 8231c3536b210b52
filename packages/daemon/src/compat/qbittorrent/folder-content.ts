/** `app/getDirectoryContent`: what lies in a folder of the node's machine. */
import { compatLimits } from '../compat-limits.ts';
import { isAbsolutePath } from '../paths.ts';
import { badParams, notFound } from './api-error.ts';
import { type ApiCall, requireAdmin } from './caller-state.ts';

const kindsOf: Readonly<Record<string, readonly string[]>> = {
  all: ['folder', 'file'],
  dirs: ['folder'],
  files: ['file'],
};

/**
 * Paths; with `withMetadata` names with sizes and times. Of times the last change is what is known, and said for all
 * three. Links are left out: where they lead is not looked at.
 */
export async function folderContent(call: ApiCall): Promise<readonly (string | object)[]> {
  requireAdmin(call, 'look into folders of the node');
  const { form, ports } = call;
  const folder = form.required('dirPath');
  if (!isAbsolutePath(folder)) throw badParams('Invalid directory path');
  const mode = form.text('mode') || 'all';
  const kinds = Object.hasOwn(kindsOf, mode) ? kindsOf[mode]! : null;
  if (kinds === null) throw badParams('Invalid mode, allowed values: all, dirs, files');
  const items = await ports.listFolder(folder).catch(() => {
    throw notFound('Directory does not exist');
  });
  const shown = items
    .filter(({ kind }) => kinds.includes(kind))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .slice(0, compatLimits.folderItemCountMax);
  const path = (name: string): string => `${folder.replace(/[\\/]+$/, '')}/${name}`;
  if (form.flag('withMetadata') !== true) return shown.map(({ name }) => path(name));
  return shown.map(({ name, kind, bytes, modified: { seconds } }) => ({
    name,
    type: kind === 'folder' ? 'dir' : 'file',
    size: kind === 'folder' ? 0 : bytes,
    creation_date: seconds,
    last_access_date: seconds,
    last_modification_date: seconds,
  }));
}
