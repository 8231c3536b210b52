import type { HelpOfStatus, StatusMessages } from './en-status.ts';

/** Lo que dice la orden `status`, en español; véase es.ts. */
export const helpOfStatus: HelpOfStatus = {
  summary: 'dice si otros llegan a este equipo, cómo se sabe y qué hacer',
  duration: 'cuánto tiempo mirar antes de decirlo (por omisión, 10)',
  notes:
    'Si ya hay un nodo con los mismos datos, se le pregunta. Si no, esto pone en marcha uno con las opciones de `get` y `seed`, mira con él y lo termina. Solo otros pueden mostrar que llegan: un nodo que dura más, como el de `seed`, sabe más, y lo dice al final con --json.',
  examples: [
    ['status', 'el puerto de siempre, por IPv4 e IPv6'],
    ['status --port 6881 --for 60', 'otro puerto, y mirando más tiempo'],
    ['status --json | jq .advice', 'qué hacer, para un script'],
  ],
};

export const statusTexts: StatusMessages = {
  looking: (seconds) => `mirando durante ${seconds} segundos …`,
  port: 'Puerto',
  noPort: 'ninguno: no se deja entrar a nadie',
  dht: 'DHT',
  dhtOff: 'no se participa',
  dhtNodes: (count) => (count === 1 ? '1 nodo conocido' : `${count} nodos conocidos`),
  todo: 'Qué hacer',
  states: {
    unknown: 'aún no se sabe',
    open: 'sí',
    mapped: 'sí, por el router',
    punchable: 'solo si un tercero los presenta',
    closed: 'no',
  },
  at: (state, endpoint) => `${state}, en ${endpoint}`,
  because: (state, reason) => `${state}: ${reason}`,
  basis: {
    incoming: 'otros han entrado',
    mapping: 'el router dice que los deja entrar; aún no ha venido nadie',
    'same-port': 'todos ven el mismo puerto nuestro',
    'different-ports': 'el router da un puerto distinto para cada uno (NAT simétrico)',
    'no-address': 'este equipo no tiene una dirección de esta clase que Internet conozca',
    'not-listening': 'este nodo no deja entrar a nadie',
    'nobody-came': 'nadie vino en diez minutos, aunque nuestras propias conexiones se abrieron',
    nothing: 'todavía no ha pasado lo suficiente',
  },
  advice: {
    wait: 'nada por ahora. Otros tienen que entrar antes de que se pueda decir más; `seed` lo sabe a los diez minutos.',
    'name-port':
      'para dejar entrar a otros, indica un puerto con --port, y tcp o both con --transport. Detrás de un proxy conocerían la dirección propia de este equipo.',
    'forward-port':
      'redirige el puerto en los ajustes del router, o activa allí UPnP, NAT-PMP o PCP. `nat status` dice qué habla.',
    'open-firewall': 'deja pasar el puerto por el cortafuegos de este equipo y del router.',
    'ask-provider':
      'el proveedor da una sola dirección a varios clientes: pide una propia, o usa IPv6. Desde aquí se sigue llegando a quien está al alcance.',
  },
};
