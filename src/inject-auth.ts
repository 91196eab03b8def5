import { BlockList, isIP, isIPv6 } from 'node:net';
import { type ListenAddress, printListen, type UpstreamChoice } from './address.ts';
import { ProxyError } from './errors.ts';
import { INJECT_AUTHS } from './options.ts';
import { oneOf, type Setting } from './settings.ts';

/** Whether, and for whom, clients' connections are logged in: see the flag. */
export type InjectAuth = (typeof INJECT_AUTHS)[number];

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * Decides whether clients are logged in. Whoever reaches the proxy then has all the rights of its
 * user, so that other machines are let in only where that is said, too.
 *
 * @param upstream as decided, with its password
 * @param places   all places where clients connect
 * @throws ProxyError CONFIG_INVALID with one line for the operator
 */
export function readInjectAuth(
  setting: Setting,
  upstream: UpstreamChoice,
  places: readonly ListenAddress[],
): InjectAuth {
  const kind = oneOf(setting, INJECT_AUTHS);
  if (kind === 'off') return kind;
  if (upstream.kind === 'embedded' || upstream.password === undefined) {
    const missing = 'there is no password to log clients in with';
    throw invalid(setting.name, `${missing}: see --upstream and --upstream-password-file`);
  }
  if (kind === 'local') for (const place of places) demandLocal(place, setting.name);
  return kind;
}

/**
 * @param place where clients connect. What is behind a descriptor shows when it is opened
 * @param name  the setting, for the message
 * @throws ProxyError CONFIG_INVALID where others than this machine may connect there
 */
export function demandLocal(place: ListenAddress, name = '--inject-auth'): void {
  if (place.kind !== 'tcp' || isLoopback(place.host)) return;
  const what = `${printListen(place)} may be reached by other machines`;
  const out = 'listen on loopback or a Unix socket, or say anyone';
  throw invalid(name, `local: ${what}, which would need no password; ${out}`);
}

function isLoopback(host: string): boolean {
  if (isIP(host) === 0) return host.toLowerCase() === 'localhost';
  return LOOPBACK.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

function invalid(name: string, why: string): ProxyError {
  return new ProxyError('CONFIG_INVALID', `${name}: ${why}`);
}
