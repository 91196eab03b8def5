import { isIP } from 'node:net';
import type { UpstreamChoice } from './address.ts';
import { parseListens, printListen } from './address.ts';
import { ProxyError } from './errors.ts';
import type { ListenTls } from './listen-tls.ts';
import { AUTH_CLIENTS, type Flag, SWITCH } from './options.ts';
import type { Decided } from './origin.ts';
import { oneOf } from './settings.ts';

/** What is asked for each flag. */
type Ask = (flag: Flag) => Decided;

/**
 * Decides where clients connect, with TLS and without.
 *
 * @returns at least one place; the files are not read yet
 * @throws ProxyError CONFIG_INVALID with one line for the operator
 */
export function readListen(ask: Ask): Pick<ListenTls, 'listen'> & {
  readonly tls: ListenTls | undefined;
} {
  const tls = readListenTls(ask);
  const { name, text } = ask('listen');
  if (text.toLowerCase() === 'off') {
    if (tls === undefined) throw invalid(name, 'off needs --tls-listen, or nobody could connect');
    return { listen: [], tls };
  }
  const listen = parseListens(text, name);
  const known = new Set(listen.map((address) => printListen(address)));
  for (const address of tls?.listen ?? []) {
    const isFree = address.kind === 'tcp' && address.port === 0;
    const printed = printListen(address);
    if (known.has(printed) && !isFree) {
      throw invalid(ask('tls-listen').name, `${printed} is in --listen too`);
    }
  }
  return { listen, tls };
}

function readListenTls(ask: Ask): ListenTls | undefined {
  const [cert, key] = [given(ask('tls-cert-file')), given(ask('tls-key-file'))];
  const ca = given(ask('tls-ca-cert-file'));
  const { name, text, origin } = ask('tls-listen');
  const authClients = oneOf(ask('tls-auth-clients'), AUTH_CLIENTS);
  if (origin === 'default') {
    const idle = cert ?? key ?? ca;
    if (idle !== undefined) throw invalid(idle.name, 'does nothing without --tls-listen');
    return undefined;
  }
  if (cert === undefined || key === undefined) {
    throw invalid(name, 'needs --tls-cert-file and --tls-key-file');
  }
  if (ca === undefined && authClients !== 'no') {
    const either = 'needs --tls-ca-cert-file; no lets in clients without a certificate';
    throw invalid(ask('tls-auth-clients').name, `${authClients} ${either}`);
  }
  return { listen: parseListens(text, name), files: { cert, key, ca }, authClients };
}

/**
 * Decides how an upstream is spoken to over TLS.
 *
 * @returns the same upstream if there is no TLS; the files are not read yet
 * @throws ProxyError CONFIG_INVALID with one line for the operator, also if what is asked for can't be
 *         had without TLS: nobody is to believe that it is there
 */
export function withTls(upstream: UpstreamChoice, ask: Ask): UpstreamChoice {
  const sni = given(ask('upstream-tls-sni'));
  const [cert, key] = [given(ask('upstream-tls-cert')), given(ask('upstream-tls-key'))];
  const ca = given(ask('upstream-tls-ca'));
  const insecure = oneOf(ask('upstream-tls-insecure'), SWITCH) === 'on';
  if (upstream.kind !== 'tls') {
    const idle = ca ?? cert ?? key ?? sni ?? (insecure ? ask('upstream-tls-insecure') : undefined);
    if (idle !== undefined) throw invalid(idle.name, 'needs --upstream rediss://...');
    return upstream;
  }
  if (cert !== undefined && key === undefined) throw invalid(cert.name, 'needs --upstream-tls-key');
  if (key !== undefined && cert === undefined) throw invalid(key.name, 'needs --upstream-tls-cert');
  if (sni !== undefined && isIP(sni.text) === 0 && !/^[a-z0-9._-]+$/i.test(sni.text)) {
    throw invalid(sni.name, `'${sni.text.replace(/\p{Cc}/gu, ' ')}' is no host name`);
  }
  const serverName = sni?.text ?? upstream.host;
  return { ...upstream, tls: { files: { cert, key, ca }, serverName, insecure } };
}

function given(decided: Decided): Decided | undefined {
  return decided.origin === 'default' ? undefined : decided;
}

function invalid(name: string, why: string): ProxyError {
  return new ProxyError('CONFIG_INVALID', `${name}: ${why}`);
}
