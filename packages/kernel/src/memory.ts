/** Memory that received bytes are copied to. What is shared between threads has a faster way than `Uint8Array.set`. */
export interface ByteTarget {
  /** Copies `source[from, to)` to `at`; both lie within the memory. */
  copyFrom(source: Uint8Array, from: number, to: number, at: number): void;
}

/** Memory of one thread. */
export class PlainMemory implements ByteTarget {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  copyFrom(source: Uint8Array, from: number, to: number, at: number): void {
    this.bytes.set(source.subarray(from, to), at);
  }
}

/** Memory for job data. Owned by whoever allocated it until it is freed. */
export interface Slab extends ByteTarget {
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** A slab that no other thread sees. */
export class PlainSlab extends PlainMemory implements Slab {
  readonly id: number;

  constructor(id: number, bytes: Uint8Array) {
    super(bytes);
    this.id = id;
  }
}
