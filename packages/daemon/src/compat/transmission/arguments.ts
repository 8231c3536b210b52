import { invalidParams } from './rpc-error.ts';

/** A method's arguments, whose keys are in the modern dialect, read one by one; a value of a wrong type is refused. */
export class Arguments {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  has(key: string): boolean {
    return this.#values[key] != null;
  }

  raw(key: string): unknown {
    return this.#values[key];
  }

  text(key: string): string | null {
    const value = this.#values[key];
    if (value == null) return null;
    if (typeof value !== 'string') throw invalidParams(`${key} is not a string`);
    return value;
  }

  number(key: string): number | null {
    const value = this.#values[key];
    if (value == null) return null;
    // Some programs quote their numbers.
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isFinite(number)) throw invalidParams(`${key} is not a number`);
    return number;
  }

  /** Also 0 and 1, as older programs write them. */
  flag(key: string): boolean | null {
    const value = this.#values[key];
    if (value == null) return null;
    if (typeof value === 'boolean') return value;
    if (value === 0 || value === 1) return value === 1;
    throw invalidParams(`${key} is not a boolean`);
  }

  list(key: string): readonly unknown[] | null {
    const value = this.#values[key];
    if (value == null) return null;
    if (!Array.isArray(value)) throw invalidParams(`${key} is not an array`);
    return value;
  }

  texts(key: string): readonly string[] | null {
    const list = this.list(key);
    if (list?.some((item) => typeof item !== 'string'))
      throw invalidParams(`${key} holds what is not a string`);
    return list as readonly string[] | null;
  }

  /** Whole numbers from 0. */
  indices(key: string): readonly number[] | null {
    const list = this.list(key);
    if (list?.some((item) => !Number.isSafeInteger(item) || (item as number) < 0))
      throw invalidParams(`${key} holds what is not an index`);
    return list as readonly number[] | null;
  }
}
