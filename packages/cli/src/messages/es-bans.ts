import type { BansMessages, HelpOfBans } from './en-bans.ts';

/** Lo que dice la orden `bans`, en español; véase es.ts. */
export const helpOfBans: HelpOfBans = {
  summary: 'dice con quién no habla el nodo y por qué; veta o perdona a alguien',
  notes:
    'Los pares que envían piezas malas o rompen las reglas quedan vetados por sí mismos, un día y para todos los torrents. Un veto a mano dura hasta que se retira. Las listas enteras van en --address-filter.',
  list: 'todos los vetos, con su motivo y su fin',
  add: 'no habla más con esta dirección',
  remove: 'perdona a esta dirección',
  address: 'una dirección IP, como la muestra `bans`; de IPv6 se entiende toda la red de 64 bits',
  reason: 'un texto que te diga después por qué',
  examples: [
    ['bans', 'quién está vetado, hasta cuándo y por qué'],
    ['bans add 192.0.2.7 --reason "envía basura"', 'hasta que se retire'],
    ['bans remove 192.0.2.7', 'perdonado'],
  ],
};

export const bansTexts: BansMessages = {
  none: 'No hay nadie vetado.',
  always: 'hasta que se retire',
  until: (time) => `hasta ${time}`,
  byUser: 'Vetado a mano.',
  added: (address) => `Vetado: ${address}`,
  removed: (address) => `Perdonado: ${address}`,
  missing: (address) => `«${address}» no está vetado.`,
};
