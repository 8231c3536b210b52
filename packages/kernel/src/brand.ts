/** A value that only a validating function can make: `type PieceIndex = Brand<number, 'PieceIndex'>`. */
export type Brand<Value, Name extends string> = Value & { readonly __brand: Name };
