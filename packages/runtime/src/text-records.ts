import { promises as dns } from 'node:dns';

/** Records of one name that are read, and their length. */
const recordMax = 100;
const textMax = 4096;

/** TXT records of a name, by the name servers that the system is set up for; empty: none, or DNS does not answer. */
export async function lookUpText(name: string): Promise<readonly string[]> {
  try {
    const records = await dns.resolveTxt(name);
    return records.slice(0, recordMax).map((parts) => parts.join('').slice(0, textMax));
  } catch {
    return [];
  }
}
