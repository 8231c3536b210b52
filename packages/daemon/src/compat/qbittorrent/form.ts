import { decodeUtf8Lossy, type NodeError } from '@tequio/kernel';
import { badParams } from './api-error.ts';

/** What a request brings: parameters from its query or its form, and files. */
export class Form {
  readonly #params: ReadonlyMap<string, string>;
  readonly files: readonly Uint8Array[];

  constructor(params: ReadonlyMap<string, string>, files: readonly Uint8Array[] = []) {
    this.#params = params;
    this.files = files;
  }

  has(name: string): boolean {
    return this.#params.has(name);
  }

  /** '' when it is not there. */
  text(name: string): string {
    return this.#params.get(name) ?? '';
  }

  /** @throws ApiError 400 */
  required(name: string): string {
    const value = this.#params.get(name);
    if (value === undefined) throw badParams(`Missing required parameters: ${name}`);
    return value;
  }

  /** Null: not there, or no truth value. */
  flag(name: string): boolean | null {
    const text = this.text(name).toLowerCase();
    if (text === 'true' || text === '1') return true;
    return text === 'false' || text === '0' ? false : null;
  }

  /** Null: not there, or no number. */
  number(name: string): number | null {
    const text = this.text(name).trim();
    const number = Number(text);
    return text === '' || !Number.isFinite(number) ? null : number;
  }

  /** Parts between separators, without empty ones. */
  list(name: string, separator: string): readonly string[] {
    return this.text(name)
      .split(separator)
      .map((part) => part.trim())
      .filter((part) => part !== '');
  }
}

/** Of a query or of a form that is written like one. */
export function formOfQuery(query: URLSearchParams): Form {
  return new Form(new Map(query));
}

/** Of a body, by its content type. @throws ApiError 400 for one that is broken */
export async function readForm(contentType: string, body: Uint8Array): Promise<Form> {
  if (!/^multipart\/form-data/i.test(contentType))
    return formOfQuery(new URLSearchParams(decodeUtf8Lossy(body)));
  const params = new Map<string, string>();
  const files: Uint8Array[] = [];
  // The parser that Node's own fetch has.
  const data = await new Response(body as Uint8Array<ArrayBuffer>, {
    headers: { 'content-type': contentType },
  })
    .formData()
    .catch((_: NodeError) => {
      throw badParams('The form is broken.');
    });
  for (const [name, value] of data) {
    if (typeof value === 'string') params.set(name, value);
    else files.push(new Uint8Array(await value.arrayBuffer()));
  }
  return new Form(params, files);
}
