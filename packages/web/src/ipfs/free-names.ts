/** Nothing that is in a folder is lost because something of the same name comes. */

/** `photo (2).jpg`, when `photo.jpg` is taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  const dot = name.lastIndexOf('.');
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  let number = 2;
  while (taken.has(`${stem} (${number})${extension}`)) number++;
  return `${stem} (${number})${extension}`;
}

/** The same for files of which some lie in the same folder: its name changes for all of them alike. */
export function withFreeNames<Picked extends { readonly path: string }>(
  files: readonly Picked[],
  taken: ReadonlySet<string>,
): readonly Picked[] {
  const chosen = new Map<string, string>();
  return files.map((file) => {
    const [top = '', ...rest] = file.path.split('/');
    const known = chosen.get(top) ?? freeName(top, taken);
    chosen.set(top, known);
    return { ...file, path: [known, ...rest].join('/') };
  });
}
