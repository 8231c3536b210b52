/** Lo que dicen las órdenes entre IPFS y BitTorrent, en español; véase en-bridge.ts. */
import type { BridgeMessages, HelpOfBridge } from './en-bridge.ts';

export const helpOfBridge: HelpOfBridge = {
  fromTorrent: 'ofrece en IPFS los archivos de torrents, desde donde están',
  toTorrent: 'obtiene un contenido de IPFS y lo comparte como torrent',
  share: 'ofrece archivos o carpetas en IPFS y como torrents: leídos una vez y guardados una vez',
  torrent: 'el identificador de un torrent, su comienzo, una parte del nombre, o «all» (todos)',
  path: 'un CID, o /ipfs/CID/nombre',
  folder: 'adónde van los archivos; si no se dice, adonde van las descargas',
  name: 'del archivo o la carpeta; si no se dice, el último de la ruta',
  file: 'un archivo o una carpeta de este equipo',
  encrypt: 'solo en IPFS, sellado: lo lee quien tiene el enlace, y nadie más',
  open: 'escribe en la salida estándar aquello a lo que lleva un enlace de «ipfs share --encrypt»',
  link: 'el enlace entero, con lo que sigue a su #',
};

export const bridgeTexts: BridgeMessages = {
  cid: 'En IPFS',
  onlyFiles: 'Se sellan archivos sueltos: empaquete antes la carpeta en un archivo comprimido.',
  copied: (bytes) =>
    `${bytes} bytes están dos veces en el disco: IPFS los ha cortado de un modo que no es el de ningún archivo.`,
};
