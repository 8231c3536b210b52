/** Apart from the rest of the package, for it is loaded only where there is a proxy. */
export { ProxiedPorts } from './proxied-ports.ts';
export { decodeProxyUrl, type ProxyCredentials, type ProxySettings } from './proxy-settings.ts';
