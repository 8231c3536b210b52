/** What other programs and pages may know of this network: plain data. */

/** A CID as text, in the base that it was given or made in. */
export type CidText = string;
