/** `ADDRESS:PORT`, an IPv6 address in brackets. */
export function splitEndpoint(endpoint: string): { readonly address: string; readonly port: number } {
  const colon = endpoint.lastIndexOf(':');
  const address = endpoint.slice(0, colon).replace(/^\[|\]$/g, '');
  return { address, port: Number(endpoint.slice(colon + 1)) || 0 };
}
