/** What a session gets where there is no DHT. */
export const noDht = { dht: null, dhtPort: (): number => 0, foundDhtNode: (): void => {} } as const;
