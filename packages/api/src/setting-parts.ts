/** What the sections of the settings are made of. */
import { z } from 'zod';

/** What a settings screen needs to know of a value besides its type. */
export type SettingMeta = {
  readonly unit?: 'B/s' | 'B' | 'minutes' | 'seconds' | 'hours' | 'minute of the day';
  /** Holds only after the node was started again. */
  readonly restart?: boolean;
  /** A password in it is read back as `***`; the same text written again leaves it as it is. */
  readonly secret?: boolean;
};

declare module 'zod' {
  interface GlobalMeta extends SettingMeta {}
}

/** Bytes a second. */
export const rate = z.int().min(1).max(1e12);

/** Of a machine: a name, an address or an interface. */
export const hostName = z.string().min(1).max(255);

export const absolutePath = z
  .string()
  .min(1)
  .max(4096)
  // A pattern and no function, so that the settings screen knows it from the schema.
  .regex(/^(?:\/|[A-Za-z]:[\\/]|\\\\)[^\0]*$/, 'must be an absolute path');

/** Null, unless the user gives a value. */
export function optional<Schema extends z.ZodType>(
  schema: Schema,
  meta: { description: string } & SettingMeta,
) {
  return schema
    .nullable()
    .meta(meta)
    .default(null as never);
}
