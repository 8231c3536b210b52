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
};

export const bridgeTexts: BridgeMessages = {
  cid: 'En IPFS',
  copied: (bytes) =>
    `${bytes} bytes están dos veces en el disco: IPFS los ha cortado de un modo que no es el de ningún archivo.`,
};
